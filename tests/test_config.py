"""The configuration: which of several values wins, where each comes from, and that secrets are not told."""

from __future__ import annotations

import base64
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pfocr_rdf.cli import app
from pfocr_rdf.commands.run import _pair
from pfocr_rdf.errors import UsageError
from pfocr_rdf.extract import git
from pfocr_rdf.stores.http import login
from tests.services import free_port
from tests.support import ROOT

if os.environ.get("CI") != "true":  # there a missing extra is a failure, and the imports below say so
    pytest.importorskip("pydantic_settings", reason="the extra `flows` is not installed")

from flows import config
from flows.parameters import Load, Nightly

FILE = """
source = "from-file"
keep = 3
to = ["main", "http://127.0.0.1:7878"]

[stores.main]
url = "fuseki:http://localhost:3030/ds"
user = "admin"
password = "secret-of-the-file"
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of the test's own, and no server."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PFOCR_RDF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(config, "_remote", dict)
    return tmp_path


def written(folder: Path, text: str = FILE, name: str = config.FILE, mode: int = 0o600) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_defaults_are_those_of_the_flows() -> None:
    loaded = config.load()
    assert loaded.origins == {}
    assert Nightly(**loaded.values.model_dump(include=set(Nightly.model_fields))) == Nightly()


def test_flags_win_over_environment_over_prefect_over_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(place)
    seen = []
    for layer in ("file", "prefect", "environment"):
        if layer == "prefect":
            monkeypatch.setattr(config, "_remote", lambda: {"source": "from-prefect"})
        if layer == "environment":
            monkeypatch.setenv("PFOCR_RDF_SOURCE", "from-environment")
        loaded = config.load()
        seen.append((loaded.values.source, loaded.origins["source"]))
        assert loaded.values.keep == 3  # what only the lowest layer says stays
    loaded = config.load({"source": "from-flag"})
    seen.append((loaded.values.source, loaded.origins["source"]))
    assert seen == [
        ("from-file", config.FILE),
        ("from-prefect", "Prefect"),
        ("from-environment", "environment"),
        ("from-flag", "flag"),
    ]


def test_parts_of_a_store_may_come_from_several_places(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(place)
    monkeypatch.setenv("PFOCR_RDF_STORES__MAIN__PASSWORD", "secret-of-the-environment")
    loaded = config.load()
    main = loaded.values.stores["main"]
    assert main.password is not None
    assert (main.user, main.password.get_secret_value()) == ("admin", "secret-of-the-environment")
    assert (loaded.origins["stores.main.user"], loaded.origins["stores.main.password"]) == (config.FILE, "environment")
    assert loaded.values.addresses() == ["fuseki:http://localhost:3030/ds", "http://127.0.0.1:7878"]


def test_another_file_can_be_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(place)
    other = written(place, 'source = "other"', "other.toml")
    monkeypatch.setenv(config.NAMED, str(other))
    loaded = config.load()
    assert (loaded.values.source, loaded.values.keep) == ("other", 14)
    assert loaded.origins == {"source": str(other)}


def test_environment_may_hold_lists_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PFOCR_RDF_TO", "oxigraph:store, http://127.0.0.1:7878")
    monkeypatch.setenv("PFOCR_RDF_KEEP", "none")
    monkeypatch.setenv("PFOCR_RDF_COMPRESS", "none")
    values = config.load().values
    assert values.to == ["oxigraph:store", "http://127.0.0.1:7878"]
    assert (values.keep, values.compress) == (None, "none")


@pytest.mark.parametrize(("text", "stores"), [("", []), (" ", []), ("./a,", ["./a"]), (",./a  ./b", ["./a", "./b"])])
def test_a_list_of_the_environment_has_no_empty_items(
    text: str, stores: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PFOCR_RDF_TO", text)
    assert config.load().values.to == stores


@pytest.mark.parametrize("name", ["PFOCR_RDF_MAXDROP", "PFOCR_RDF_STORE__MAIN__URL"])
def test_a_variable_that_is_no_setting_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hidden-word")
    with pytest.raises(UsageError, match=f"{name} \\(environment\\): there is no such setting") as caught:
        config.load()
    assert "hidden-word" not in str(caught.value)
    monkeypatch.delenv(name)
    for other in config.OTHERS - {config.NAMED}:
        monkeypatch.setenv(other, "1")
    assert config.load().origins == {}


def test_every_variable_that_the_package_reads_is_known() -> None:
    texts = [path.read_text(encoding="utf-8") for root in ("src", "flows") for path in (ROOT / root).rglob("*.py")]
    read = {name for text in texts for name in re.findall(r"PFOCR_RDF_[A-Z_]*[A-Z]", text)}
    settings = {f"PFOCR_RDF_{name.upper()}" for name in config.Configuration.model_fields}
    assert {name for name in read if not name.startswith("PFOCR_RDF_STORES")} <= settings | config.OTHERS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keep = 0", "keep (pfocr-rdf.toml): Input should be greater than or equal to 1"),
        ("kept = 1", "kept (pfocr-rdf.toml): there is no such setting"),
        ("keep = ", "pfocr-rdf.toml: is no TOML"),
        ('[stores.main]\nuser = "x"', "stores.main.url (pfocr-rdf.toml): Field required"),
        ('[stores.Main]\nurl = "x"', "String should match pattern"),
        (
            'source = "https://me:hidden-word@host.example/x"',
            "source (pfocr-rdf.toml): holds a user name or a password",
        ),
        ('to = ["fuseki:http://me:hidden-word@host.example/x"]', "holds a user name or a password"),
        ('source = "https://hidden-word@host.example/x"', "source (pfocr-rdf.toml): holds a user name or a password"),
        ('cron = "whenever"', "cron (pfocr-rdf.toml): cannot be"),
        ('timezone = "Mars/Olympus"', "timezone (pfocr-rdf.toml): cannot be"),
        ('store_password = ["hidden-word"]', "store_password (pfocr-rdf.toml): Input should be a valid string"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line_without_its_value(place: Path, text: str, message: str) -> None:
    written(place, text)
    with pytest.raises(UsageError) as caught:
        config.load()
    said = str(caught.value)
    assert message in said
    assert "\n" not in said
    assert "hidden-word" not in said
    assert caught.value.__cause__ is None


def test_a_missing_file_that_was_named_is_an_error(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(config.NAMED, str(place / "missing.toml"))
    with pytest.raises(UsageError, match="no such file"):
        config.load()


@pytest.mark.parametrize(("mode", "refused"), [(0o644, True), (0o604, True), (0o640, False), (0o600, False)])
def test_a_file_with_a_secret_is_not_for_everybody(place: Path, mode: int, refused: bool) -> None:
    written(place, mode=mode)
    if refused:
        with pytest.raises(UsageError, match="chmod 640"):
            config.load()
    else:
        assert config.load().values.keep == 3
    written(place, "keep = 3", mode=mode)
    assert config.load().values.keep == 3


def test_a_flow_gets_what_was_not_asked_from_the_configuration(place: Path) -> None:
    written(place)
    with config.configured(Nightly(keep=5)) as nightly:
        assert (nightly.source, nightly.keep, nightly.max_drop) == ("from-file", 5, 0.1)
        assert nightly.to == ["fuseki:http://localhost:3030/ds", "http://127.0.0.1:7878"]
    with config.configured(Load(to=["main"])) as load:
        assert load.to == ["fuseki:http://localhost:3030/ds"]


def test_a_mistyped_name_of_a_store_makes_no_new_folder(place: Path) -> None:
    written(place)
    with pytest.raises(UsageError, match="no store has the name 'mian'"), config.configured(Load(to=["mian"])):
        pass
    (place / "mian").mkdir()
    with config.configured(Load(to=["mian", "./new"])) as load:
        assert load.to == ["mian", "./new"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("accept=20240312", "20240312"),
        ("accept=1.10", "1.10"),
        ("keep=3", "3"),
        ('to=["a", "b"]', ["a", "b"]),
        ("keep=null", None),
        ('accept="x"', "x"),
        ("image_pattern=[x", "[x"),
    ],
)
def test_a_parameter_is_text_unless_it_is_a_list(text: str, value: object) -> None:
    assert _pair(text)[1] == value


def test_a_server_that_does_not_answer_is_told_in_one_line(place: Path) -> None:
    dead = os.environ | {"PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api", "PREFECT_HOME": str(place)}
    code = "from pfocr_rdf.cli import main; main()"
    for command in (
        [sys.executable, "-c", code, "run", "load", "--to", "./x"],
        [sys.executable, "-m", "flows.load", "--to", "./x"],
        [sys.executable, "-m", "flows.watch"],
        [sys.executable, "-m", "flows.serve"],
    ):
        done = subprocess.run(command, cwd=ROOT, env=dead, capture_output=True, text=True)
        assert done.returncode == 2, done.stderr
        assert "does not answer" in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


def test_a_flow_asked_for_nothing_keeps_its_own_defaults() -> None:
    with config.configured(Load()) as load:
        assert load == Load()


def test_stores_and_git_find_their_secrets_while_a_flow_runs(place: Path) -> None:
    written(place, f'git_token = "for-git"\nstore_user = "any"\nstore_password = "general"\n{FILE}')
    before = dict(os.environ)
    with config.configured(Nightly()):
        assert login("http://localhost:3030/ds/data") == ("admin", "secret-of-the-file")
        assert login("http://127.0.0.1:7878") == ("any", "general")
        assert os.environ[git.TOKEN] == "for-git"
    assert dict(os.environ) == before


def test_config_shows_each_value_and_where_it_comes_from(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(place)
    monkeypatch.setenv("PFOCR_RDF_GIT_TOKEN", "secret-of-the-environment")
    monkeypatch.setattr("pfocr_rdf_flows.config._remote", dict)
    table, done = (CliRunner().invoke(app, arguments) for arguments in (["config"], ["config", "--json"]))
    assert (table.exit_code, done.exit_code) == (0, 0), table.output + done.output
    assert "secret-of" not in table.output + done.output
    assert config.HIDDEN in table.output
    rows = {row["name"]: (row["value"], row["from"]) for row in json.loads(done.output)}
    assert rows["keep"] == (3, config.FILE)
    assert rows["stores.main.password"] == (config.HIDDEN, config.FILE)
    assert rows["git_token"] == (config.HIDDEN, "environment")
    assert rows["store_password"] == (None, "default")
    assert rows["max_drop"] == (0.1, "default")
    assert set(rows) >= set(config.Configuration.model_fields) - {"stores"}


def test_a_configuration_never_prints_its_secrets(place: Path) -> None:
    written(place)
    loaded = config.load()
    assert "secret-of" not in f"{loaded!r} {loaded.values} {loaded.rows()} {loaded.values.model_dump()}"


@pytest.mark.parametrize(
    ("block", "setting"),
    [
        ("pfocr-rdf-stores-main-password", ["stores", "main", "password"]),
        ("pfocr-rdf-stores-my-store-user", ["stores", "my_store", "user"]),
        ("pfocr-rdf-git-token", ["git_token"]),
        ("another-secret", []),
    ],
)
def test_names_of_secret_blocks(block: str, setting: list[str]) -> None:
    assert config._setting(block) == setting


@pytest.fixture
def asking() -> Iterator[tuple[str, list[str | None]]]:
    """An address that wants a login, and what was sent to it as `Authorization`."""
    seen: list[str | None] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/figures.git", seen
        server.shutdown()
        thread.join()


def test_git_gets_the_token_when_it_is_asked_for_a_login(
    asking: tuple[str, list[str | None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, seen = asking
    monkeypatch.setenv(git.TOKEN, "distinctive-token")
    with pytest.raises(UsageError) as caught, git.checkout(address, tmp_path / "cache"):
        pass
    expected = base64.b64encode(b"x-access-token:distinctive-token").decode()
    assert seen == [None, f"Basic {expected}"]
    assert "distinctive-token" not in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"distinctive-token" in path.read_bytes()]


@pytest.mark.parametrize("address", ["http://git.example/x.git", "ssh://git.example/x.git", "/srv/x"])
def test_the_token_is_never_sent_in_clear_text(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(git.TOKEN, "distinctive-token")
    assert git._credential(address) == {}
    assert list(git._credential("https://git.example/x.git")) == ["credential.https://git.example.helper"]


BLOCKING = """
import sys

class Blocked:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("prefect", "pydantic_settings"):
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Blocked())
"""


@pytest.mark.parametrize("command", [["config"], ["run", "nightly"]])
def test_a_missing_extra_is_said_in_one_line(command: list[str]) -> None:
    code = BLOCKING + f"sys.argv[1:] = {command!r}\nfrom pfocr_rdf.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("pfocr-rdf: this needs the extra `flows`")
    assert "pip install 'pfocr-rdf[flows]'" in done.stderr
    assert done.stderr.count("\n") == 1
