"""`store up`, `store status`, `store down`: real servers of all four kinds, and what may go wrong with them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pfocr_rdf.cli import app
from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import local, programs, starting, virtuososql
from pfocr_rdf.stores.contract import Kind, StoreError
from tests import servers
from tests.support import BLAZEGRAPH, JENA, require_jar, require_tool

INSERT = "INSERT DATA { GRAPH <urn:g> { <urn:a> <urn:b> 'α' } }"
UNION = "SELECT ?o WHERE { <urn:a> <urn:b> ?o }"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The user's folders are those of the test; what is started is stopped."""
    for name in ("STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:+UseSerialGC -XX:TieredStopAtLevel=1")
    for name in ("PFOCR_RDF_STORE_USER", "PFOCR_RDF_STORE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    yield
    local.down()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["store", *map(str, arguments)])


def up(kind: Kind, *arguments: str | Path) -> dict[str, Any]:
    """Start a server on a free port, or skip the test where its program is not."""
    if kind in (Kind.FUSEKI, Kind.BLAZEGRAPH):
        arguments = ("--jar", require_jar(JENA if kind is Kind.FUSEKI else BLAZEGRAPH), "--memory", "512m", *arguments)
    elif kind is Kind.VIRTUOSO:
        require_tool("virtuoso-t", "virtuoso-opensource-7-bin")
        arguments = ("--memory", "200m", *arguments)
    else:
        servers.require_oxigraph()
    done = run("up", kind, "--port", "0", "--json", *arguments)
    assert done.exit_code == 0, done.output
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def insert(server: dict[str, Any]) -> None:
    if server["kind"] == "virtuoso":
        virtuososql.Sql(f"127.0.0.1:{server['sql']}", "dba", "dba").run(f"SPARQL {INSERT}")
        return
    header = {"Content-Type": "application/sparql-update; charset=UTF-8"}
    answer = servers.send("POST", server["services"]["update"], INSERT.encode(), header)
    assert answer.status in (200, 204), answer.body[:500]


@pytest.mark.parametrize("kind", starting.PORTS)
def test_a_server_keeps_its_data_and_is_known(kind: Kind, tmp_path: Path) -> None:
    data = tmp_path / "my data"
    server = up(kind, "--data", data)
    assert server["new"]
    assert server["running"]
    insert(server)
    again = up(kind, "--data", data)
    assert not again["new"]
    assert again["pid"] == server["pid"]
    known = json.loads(run("status", "--json").stdout)
    assert [(one["name"], one["running"], one["data"]) for one in known] == [(str(kind), True, str(data))]
    query = server["services"]["query"]
    for address in (query, query.replace("127.0.0.1", "localhost"), f"{query}/"):
        found = local.at(address)
        assert found is not None
        assert found.pid == server["pid"]
    told = run("status").stdout
    assert query in told
    assert str(data) in told
    done = run("down", kind)
    assert done.stdout == f"{kind}: stopped\n"
    assert not alive(server["pid"])
    assert run("status").stdout == "no server was started here\n"
    server = up(kind, "--data", data)
    assert [row["o"] for row in servers.Endpoint(server["services"]["query"]).select(UNION)] == ["α"]
    assert listening(server["port"]) == {"127.0.0.1"}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def listening(port: int) -> set[str]:
    """The addresses at which something listens on a port, as the system tells."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            place, state = line.split()[1], line.split()[3]
            address, _, number = place.partition(":")
            if state == "0A" and int(number, 16) == port:
                raw = bytes.fromhex(address)
                words = [raw[at : at + 4][::-1] for at in range(0, len(raw), 4)]
                packed = b"".join(words)
                text = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
                found.add({"::ffff:127.0.0.1": "127.0.0.1", "::1": "127.0.0.1"}.get(text, text))
    return found


@pytest.mark.parametrize("kind", [Kind.OXIGRAPH, Kind.FUSEKI])
def test_a_server_for_reading_takes_no_updates(kind: Kind, tmp_path: Path) -> None:
    up(kind, "--data", tmp_path / "db")
    local.down()
    server = up(kind, "--data", tmp_path / "db", "--read-only")
    assert set(server["services"]) == {"query"}
    base = server["services"]["query"].rpartition("/")[0]
    header = {"Content-Type": "application/sparql-update"}
    assert servers.send("POST", f"{base}/update", INSERT.encode(), header).status in (403, 404, 405)


def test_a_killed_server_is_told_and_its_data_served_again(tmp_path: Path) -> None:
    for kind in (Kind.OXIGRAPH, Kind.VIRTUOSO):
        server = up(kind, "--data", tmp_path / kind)
        os.kill(server["pid"], signal.SIGKILL)
        while local.status()[0].running:
            pass
        assert "stopped by itself" in run("status").stdout
        assert up(kind, "--data", tmp_path / kind)["new"]
        assert [one.running for one in local.status()] == [True]
        run("down")


def test_a_process_that_got_the_number_of_a_server_is_left_alone(tmp_path: Path) -> None:
    server = up(Kind.OXIGRAPH, "--data", tmp_path / "db")
    state = tmp_path / "state" / "pfocr-rdf" / "stores" / "oxigraph" / "server.json"
    local_server = local.status()[0]
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]) as other:
        state.write_text(json.dumps({**json.loads(state.read_text()), "pid": other.pid}), encoding="utf-8")
        assert not local.status()[0].running
        assert run("down").stdout == "no server ran\n"
        assert other.poll() is None
        other.kill()
    os.kill(server["pid"], signal.SIGTERM)
    while local_server.running:
        pass


def test_a_server_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    require_jar(JENA)
    data = tmp_path / "db"
    (data / "Data-0001").mkdir(parents=True)
    (data / "tdb.lock").mkdir()
    done = run("up", "fuseki", "--data", data, "--port", "0", "--jar", require_jar(JENA))
    assert done.exit_code == StoreError.exit_code
    assert "fuseki stopped at once" in done.output
    assert "tdb.lock" in done.output or "Exception" in done.output
    assert done.output.count("\n") == 1
    assert local.status() == []


def test_a_server_of_which_nothing_could_be_written_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.require_oxigraph()
    spawned: list[int] = []

    def spawn(*how: Any) -> int:
        spawned.append(start(*how))
        return spawned[-1]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    start = local._spawn
    monkeypatch.setattr(local, "_spawn", spawn)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        local.up(Kind.OXIGRAPH, tmp_path / "db", 0)
    assert not alive(*spawned)
    assert local.status() == []


@pytest.mark.parametrize("said", ['{"name": "oxigr', "[]", "{}", '{"kind": "mysql"}', '{"kind": "oxigraph"}', "\xff"])
def test_what_is_known_of_a_server_and_damaged_is_named(tmp_path: Path, said: str) -> None:
    place = tmp_path / "state" / "pfocr-rdf" / "stores" / "oxigraph" / "server.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(said.encode("latin-1"))
    for command in ("status", "down"):
        done = run(command)
        assert done.exit_code == 2
        assert f"{place}: does not tell of a server" in done.stderr
        assert done.stderr.count("\n") == 1
    place.unlink()


def test_what_cannot_work_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        cases: list[tuple[list[str | Path], str]] = [
            (["oxigraph", "--data", tmp_path], "holds files, but no database of oxigraph"),
            (["oxigraph", "--port", str(taken.getsockname()[1])], "give another one with --port"),
            (["oxigraph", "--memory", "2g"], "leave --memory away"),
            (["virtuoso", "--read-only"], "leave --read-only away"),
            (["fuseki", "--memory", "much"], "write it as 512m or 4g"),
            (["fuseki", "--port", "0", "--jar", tmp_path / "none.jar"], "no such file"),
            (["fuseki", "--port", "0", "--jar", tmp_path / "notes.txt"], "its SHA-256 is"),
            (["mysql"], "is none of fuseki, blazegraph, virtuoso, oxigraph"),
        ]
        for arguments, expected in cases:
            done = run("up", *arguments)
            assert done.exit_code == 2, arguments
            assert expected in done.output
    done = run("down", "nobody")
    assert done.exit_code == 2
    assert "there are: none" in done.output


def test_the_password_of_the_environment_is_that_of_a_new_virtuoso(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PFOCR_RDF_STORE_PASSWORD", "not the usual $one")
    with pytest.raises(UsageError, match="use letters, digits"):
        local.up(Kind.VIRTUOSO, tmp_path / "db", 0)
    monkeypatch.setenv("PFOCR_RDF_STORE_PASSWORD", "not.the/usual-1")
    server = up(Kind.VIRTUOSO, "--data", tmp_path / "db")
    place = f"127.0.0.1:{server['sql']}"
    assert virtuososql.Sql(place, *virtuososql.login(server["services"]["query"])).run("SELECT 7") == ["7"]
    with pytest.raises(StoreError, match="refuses the user"):
        virtuososql.Sql(place, "dba", "dba").run("SELECT 7")


def fake(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_java_is_found_and_its_version_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(programs.Missing, match="Java 17 or newer is needed and none is installed"):
        programs.java()
    fake(tmp_path / "bin", "java", """echo 'openjdk version "1.8.0_392"' >&2""")
    with pytest.raises(programs.Missing, match="is Java 8, and Java 17 or newer is needed"):
        programs.java()
    fake(tmp_path / "home", "java", """echo 'openjdk version "21.0.1" 2023-10-17' >&2""")
    (tmp_path / "jdk").mkdir()
    (tmp_path / "home").rename(tmp_path / "jdk" / "bin")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert programs.java() == tmp_path / "jdk" / "bin" / "java"


def test_a_jar_is_fetched_once_and_held_against_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    folder = tmp_path / "jars"
    (tmp_path / "bin").mkdir()
    fake(tmp_path / "bin", "mvn", "echo 'no network' ; exit 1")
    with pytest.raises(programs.Missing, match=r"mvn could not fetch org\.apache\.jena.*no network"):
        programs.jar(JENA, folder=folder)
    other = (
        'for each; do case $each in -DoutputDirectory=*) echo > "${each#*=}/jena-fuseki-server-5.6.0.jar";; esac; done'
    )
    fake(tmp_path / "bin", "mvn", other)
    with pytest.raises(UsageError, match="its SHA-256 is"):
        programs.jar(JENA, folder=folder)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(programs.Missing, match="give it with --jar, or install Maven"):
        programs.jar(BLAZEGRAPH, folder=folder)
