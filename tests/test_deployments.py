"""Flows on a real Prefect server with a real worker: schedules, runs, settings there, and what is never seen."""

from __future__ import annotations

import base64
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pfocr_rdf import identifiers as ids
from tests.browser import chromium
from tests.prefect_server import BIN, POOL, Server, wait_until
from tests.servers import free_port, fuseki
from tests.support import ROOT

if os.environ.get("CI") != "true":  # there a missing extra is a failure, and the programs below say so
    pytest.importorskip("prefect", reason="the extra `flows` is not installed")
pytestmark = pytest.mark.flows

NIGHTLY = "pfocr-rdf-nightly/nightly"
LATER = "PMC9100004__excell.0010023.g002.md"
"""A figure without tables, which comes with a later commit."""

SCREENSHOTS = ROOT / "build" / "screenshots"


@dataclass
class Place:
    """A server with deployments, a source in git, and the folder of releases."""

    server: Server
    source: Path
    out: Path
    refusing: str = ""
    seen: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        """What the worker's environment says of the flows."""
        return {"PFOCR_RDF_SOURCE": str(self.source), "PFOCR_RDF_OUT": str(self.out), "PFOCR_RDF_WORKERS": "1"}

    def run(self, **parameters: Any) -> dict[str, Any]:
        """Run nightly on the worker, and return the run when it has ended."""
        return self.server.ended(self.server.begin(NIGHTLY, {"asked": parameters} if parameters else {}))

    def current(self) -> str:
        """The release that `current` leads to."""
        return (self.out / "current").resolve().name


def commit(folder: Path, message: str, date: str) -> None:
    """Make a commit of all that is in a folder, which becomes a repository if it is none."""
    who = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "HOME": str(folder)}
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        who[name] = "test@example.org"
    environment = {"PATH": os.environ["PATH"], **who}
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", message]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True, capture_output=True)


def copied(folder: Path) -> Path:
    """Return a repository with the example, but for one figure, which lies beside it."""
    shutil.copytree(ROOT / "docs" / "example", folder)
    (folder / "_figures" / LATER).rename(folder.parent / LATER)
    commit(folder, "first", "2026-01-01T00:00:00Z")
    return folder


@contextmanager
def refusing(seen: list[str]) -> Iterator[str]:
    """The address of a store that refuses everybody; what they sent is noted."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append(f"{self.command} {self.path} {self.headers['Authorization']}")
            said = b"you may not do this"
            self.send_response(403)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_PUT = do_DELETE = do_HEAD = do_POST

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"fuseki:http://127.0.0.1:{server.server_port}/ds"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server with the deployments of prefect.yaml, settings and secrets on it, and a worker."""
    folder = tmp_path_factory.mktemp("flows")
    server = Server(folder, free_port())
    made = Place(server, copied(folder / "source"), folder / "site")
    server.start()
    try:
        server.call("prefect", "work-pool", "create", POOL, "--type", "process")
        server.call("prefect", "--no-prompt", "deploy", "--all")
        with refusing(made.seen) as made.refusing:
            address = {"PFOCR_RDF_STORES__REFUSING__URL": made.refusing}
            with server.working(made.settings | SECRETS | address):
                yield made
    finally:
        server.stop()


SECRETS = {
    "PFOCR_RDF_GIT_TOKEN": "distinctive-git-token",
    "PFOCR_RDF_STORE_USER": "somebody",
    "PFOCR_RDF_STORE_PASSWORD": "distinctive-general-password",
    "PFOCR_RDF_STORES__REFUSING__USER": "admin",
    "PFOCR_RDF_STORES__REFUSING__PASSWORD": "distinctive-store-password",
}
BLOCKS = {"pfocr-rdf-stores-other-password": "distinctive-block-password"}
HIDDEN = [value for value in [*SECRETS.values(), *BLOCKS.values()] if value.startswith("distinctive")]


def test_a_schedule_makes_runs(place: Place) -> None:
    found = place.server.deployment(NIGHTLY)
    assert [schedule["schedule"]["cron"] for schedule in found["schedules"]] == ["15 3 * * *"]
    wait_until(lambda: bool(place.server.runs("SCHEDULED")), place.server.folder / "server.log")
    runs = [run for run in place.server.runs("SCHEDULED") if run["deployment_id"] == found["id"]]
    assert runs
    assert all(run["auto_scheduled"] and run["expected_start_time"][11:16] == "03:15" for run in runs)
    assert place.server.complaints() == []


def test_the_first_scheduled_run_builds_all_and_the_second_ends_having_done_nothing(place: Place) -> None:
    wait_until(lambda: len(place.server.runs("SCHEDULED")) > 1, place.server.folder / "server.log")
    first, second = (run["id"] for run in place.server.runs("SCHEDULED")[:2])
    place.server.hasten(first)
    done = place.server.ended(first)
    assert done["state"]["type"] == "COMPLETED", "\n".join(place.server.logs(first))
    assert done["auto_scheduled"]
    assert place.current() == "20260101"
    released = json.loads((place.out / "current" / "release.json").read_text())
    assert released["counts"]["figures"] == 5

    files = {path: path.stat().st_mtime_ns for path in place.out.rglob("*") if path.is_file()}
    place.server.hasten(second)
    done = place.server.ended(second)
    assert done["state"]["type"] == "COMPLETED", "\n".join(place.server.logs(second))
    assert done["total_run_time"] < 30  # one or two on a quiet machine
    log = place.server.folder / "worker.log"
    wait_until(lambda: any("nothing to do" in line for line in place.server.logs(second)), log, 20)  # sent now and then
    assert {path: path.stat().st_mtime_ns for path in place.out.rglob("*") if path.is_file()} == files


def test_pages_of_a_run_show_its_numbers_and_links(place: Place) -> None:
    """Photographs of them are in build/screenshots, for people to look at."""
    runs = [each["id"] for each in place.server.runs("COMPLETED")]
    run = next(each for each in runs if "pfocr-rdf-release" in place.server.artifacts(each))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    release = json.loads((place.out / "current" / "release.json").read_text())
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1500, "height": 1100})
        page.set_default_timeout(60_000)
        page.goto(f"{place.server.address}/runs/flow-run/{run}")
        page.get_by_text("Completed").first.wait_for()
        page.screenshot(path=SCREENSHOTS / "prefect-run.png")
        for key, artifact in place.server.artifacts(run).items():
            page.goto(f"{place.server.address}/artifacts/artifact/{artifact['id']}")
            page.get_by_text(key).first.wait_for()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=SCREENSHOTS / f"prefect-{key}.png", full_page=True)
            if key == "pfocr-rdf-release":
                assert page.get_by_text(f"Release {release['version']}").count()
                assert page.get_by_text(f"{release['counts']['mentions']:,}").count()
                link = page.get_by_role("link", name=re.compile("report", re.IGNORECASE)).first
                assert link.get_attribute("href") == f"{release['base_url']}/{release['version']}/report.html"
                assert page.get_by_text(str(place.out / "releases" / release["version"])).count()
        page.goto(f"{place.server.address}/deployments")
        page.get_by_text("nightly").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / "prefect-deployments.png")
        page.close()


def test_settings_and_secrets_of_the_server_are_found(place: Place) -> None:
    shown = json.loads(place.server.call("pfocr-rdf", "config", "--json", cwd=place.server.folder))
    rows = {row["name"]: (row["value"], row["from"]) for row in shown}
    assert rows["keep"] == (14, "default")
    place.server.ask("variables/", {"name": "pfocr_rdf_keep", "value": 9})
    place.server.ask("variables/", {"name": "pfocr_rdf_stores__other__url", "value": "http://127.0.0.1:9/other"})
    for name, value in BLOCKS.items():
        place.server.secret(name, value)
    shown = place.server.call("pfocr-rdf", "config", "--json", cwd=place.server.folder)
    rows = {row["name"]: (row["value"], row["from"]) for row in json.loads(shown)}
    assert rows["keep"] == (9, "Prefect")
    assert rows["stores.other.url"] == ("http://127.0.0.1:9/other", "Prefect")
    assert rows["stores.other.password"] == ("********", "Prefect")
    assert "distinctive" not in shown
    nearer = place.server.call(
        "pfocr-rdf", "config", "--json", cwd=place.server.folder, environment={"PFOCR_RDF_KEEP": "8"}
    )
    assert {"name": "keep", "value": 8, "from": "environment"}.items() <= json.loads(nearer)[
        list(rows).index("keep")
    ].items()


def test_a_server_that_does_not_answer_is_told_in_one_line(place: Place) -> None:
    environment = place.server.environment | {"PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
    done = subprocess.run(
        [BIN / "pfocr-rdf", "config"], env=environment, cwd=place.server.folder, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "does not answer" in done.stderr
    assert done.stderr.count("\n") == 1


def spellings(secret: str) -> list[bytes]:
    """A secret as it may be written: plain, in base64, as a part of a login in base64, percent-encoded."""
    users = ("admin", "somebody", "x-access-token")
    logins = [base64.b64encode(f"{user}:{secret}".encode()) for user in users]
    return [secret.encode(), base64.b64encode(secret.encode()), *logins, quote(secret).encode()]


def test_no_secret_is_told_or_kept_anywhere(place: Place) -> None:
    """After runs that went well (above), one whose store fails, and one that cannot begin."""
    server = place.server
    arguments = Arguments(HIDDEN)
    with arguments:
        refused = place.run(to=["refusing"])
        missing = place.run(source=str(place.source.parent / "missing"))
        shell = subprocess.run(
            [BIN / "pfocr-rdf", "run", "nightly", "--to", "refusing", "--set", "workers=1"],
            env=server.environment | place.settings | SECRETS | {"PFOCR_RDF_STORES__REFUSING__URL": place.refusing},
            cwd=server.folder,
            capture_output=True,
            text=True,
        )
    assert (refused["state"]["type"], missing["state"]["type"]) == ("FAILED", "FAILED")
    assert "refused (HTTP 403)" in refused["state"]["message"]
    assert place.seen, "the store was never asked, so nothing could be told"
    assert any("Basic" in said for said in place.seen)
    assert shell.returncode == 5, shell.stderr
    assert shell.stderr.splitlines()[-1].startswith("pfocr-rdf: http://127.0.0.1:")
    assert "Traceback" not in shell.stderr

    kept = {"shell": (shell.stdout + shell.stderr).encode()}
    for path in [*server.folder.rglob("*"), *place.out.rglob("*")]:
        if path.is_file() and ".git" not in path.parts:
            kept[str(path)] = path.read_bytes()
    for name in ("flow_runs", "task_runs", "logs", "artifacts", "deployments", "variables", "block_documents"):
        kept[name] = json.dumps(server.ask(f"{name}/filter", {})).encode()
    assert any(b"refusing" in text or b"127.0.0.1" in text for text in kept.values())
    told = [
        (name, secret) for name, text in kept.items() for secret in HIDDEN for word in spellings(secret) if word in text
    ]
    assert told == []
    assert arguments.seen > 0
    assert arguments.told == []


class Arguments(threading.Thread):
    """Looks at the arguments of all processes of this machine for some words, again and again."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(daemon=True)
        self.words = [word.encode() for word in words]
        self.ended = threading.Event()
        self.seen, self.told = 0, list[str]()

    def run(self) -> None:
        while not self.ended.wait(0.02):
            for place in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = place.read_bytes()
                except OSError:
                    continue
                self.seen += 1
                self.told += [line.decode(errors="replace") for word in self.words if word in line]

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.join()


@pytest.mark.slow
def test_a_commit_brings_the_served_store_to_it_with_the_change_alone(place: Place, jena: Path, tmp_path: Path) -> None:
    """The third night: one more figure in the source; the store holds what the release holds, and got what differs."""
    told, everything, run = [], 0, ""
    with fuseki(jena, tmp_path) as endpoint:
        address = f"fuseki:{endpoint.query.removesuffix('/query')}"
        for night in ("the release that is there", "one more figure"):
            if night == "one more figure":
                (place.source.parent / LATER).rename(place.source / "_figures" / LATER)
                commit(place.source, night, "2026-01-02T00:00:00Z")
            done = place.run(to=[address])
            run = done["id"]
            assert done["state"]["type"] == "COMPLETED", "\n".join(place.server.logs(run))
            told.append(place.server.artifacts(run)["pfocr-rdf-stores"]["data"])
            release = json.loads((place.out / "current" / "release.json").read_text())
            expected = {ids.graph(layer): number for layer, number in release["triples"].items()}
            assert expected.items() <= endpoint.counts().items()
            everything = sum(endpoint.counts().values())  # the graphs of the description too
    assert place.current() == "20260102"
    assert "full" in told[0]
    row = next(line for line in told[1].splitlines() if "difference" in line)
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\| *([\d,]+) *(?=\|)", row)]
    assert 0 < max(numbers[-2:]) < everything / 2


def test_served_flows_run_one_at_a_time_and_nightly_at_its_time() -> None:
    from flows.config import Configuration
    from flows.serve import deployments

    made = {each.name: each for each in deployments(Configuration(cron="0 5 * * *", timezone="Europe/Amsterdam"))}
    assert set(made) == {"nightly", "release", "load", "backfill"}
    schedules = {name: [vars(each.schedule) for each in one.schedules or []] for name, one in made.items()}
    (nightly,) = schedules.pop("nightly")
    assert (nightly["cron"], nightly["timezone"]) == ("0 5 * * *", "Europe/Amsterdam")
    assert schedules == {"release": [], "load": [], "backfill": []}
    assert {each.concurrency_limit for each in made.values()} == {1}
    options = [each.concurrency_options for each in made.values()]
    assert all(each is not None and each.collision_strategy.value == "CANCEL_NEW" for each in options)


@pytest.mark.slow
def test_one_program_serves_the_flows_without_a_pool(place: Place) -> None:
    other = place.out.parent / "served"
    with place.server.serving():  # registers those that the pool has already, and can be stopped
        assert [schedule["slug"] for schedule in place.server.deployment(NIGHTLY)["schedules"]] == ["nightly"]
    known = place.server.deployment(NIGHTLY)["id"]
    httpx.delete(f"{place.server.address}/api/deployments/{known}", timeout=30).raise_for_status()
    with place.server.serving(place.settings | {"PFOCR_RDF_OUT": str(other)}):
        assert place.server.deployment(NIGHTLY)["work_pool_name"] is None
        runs = [place.server.begin(NIGHTLY), place.server.begin(NIGHTLY)]
        states = sorted(place.server.ended(run)["state"]["type"] for run in runs)
    assert states == ["CANCELLED", "COMPLETED"]
    assert (other / "current" / "release.json").is_file()
    found = place.server.deployment(NIGHTLY)
    assert [schedule["active"] for schedule in found["schedules"]] == [True]  # the schedule outlives the program
