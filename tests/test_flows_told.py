"""What a run tells others: events, assets with their lineage, notices through a webhook; and a served store."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flows import pages
from pfocr_rdf.release.gate import Kept
from tests import changing, nights
from tests.nights import History, run
from tests.support import require_tool

if os.environ.get("CI") != "true":
    pytest.importorskip("prefect", reason="the extra `flows` is not installed")
pytestmark = [pytest.mark.flows, pytest.mark.usefixtures("quiet_flows")]

PATIENCE = 60


@pytest.fixture
def source(tmp_path: Path) -> History:
    require_tool("git", "git")
    return nights.history(tmp_path / "source")


def events(*names: str, since: datetime) -> list[dict[str, Any]]:
    """Wait until there are an event of each name since a moment; return them, the newest first."""
    from prefect.client.orchestration import get_client

    asked = {"filter": {"event": {"name": list(names)}, "occurred": {"since": since.isoformat()}}, "limit": 50}
    end = time.monotonic() + PATIENCE
    while True:
        with get_client(sync_client=True) as client:
            found: list[dict[str, Any]] = client._client.post("/events/filter", json=asked).json()["events"]
        if {each["event"] for each in found} >= set(names):
            return found
        assert time.monotonic() < end, [each["event"] for each in found]
        time.sleep(0.3)


def of(found: list[dict[str, Any]], resource: str) -> list[dict[str, Any]]:
    return [each for each in found if each["resource"]["prefect.resource.id"] == resource]


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server of notices: its address, and what came."""
    came: list[dict[str, Any]] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Take) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}/hook/SECRETPART", came
        server.shutdown()


@pytest.mark.slow
def test_events_and_assets_tell_of_releases_and_a_notice_of_each_end(
    source: History, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.blocks.webhook import Webhook

    from flows import stores

    began, store = datetime.now(UTC), "http://127.0.0.1:9/ds"
    brought = {"store": store, "version": "x", "way": "full", "added": 1, "removed": 0}
    monkeypatch.setattr(stores, "bring", lambda *_: brought)
    out = tmp_path / "site"
    with receiver() as (address, came):
        Webhook(url=address).save("told", overwrite=True)
        first = run(source, out, to=[store], notify="told")
        nights.remove_figures(source.files, 0.5)
        source.commit()
        with pytest.raises(Kept):
            run(source, out, notify="told")
    run(source, out, accept=source.version(), notify="told")  # nobody listens any more, and the run ends well
    assert "the notice could not be sent" in caplog.text
    assert "SECRETPART" not in caplog.text

    assert [(each["flow"], each["state"]) for each in came] == [("nightly", "completed"), ("nightly", "rejected")]
    assert came[0]["version"] == first["version"]
    assert "figures fell by 50.0%" in came[1]["message"]

    names = ("pfocr.release.published", "pfocr.release.rejected", "prefect.asset.materialization.succeeded")
    found = events(*names, since=began)
    (published,) = of(found, f"pfocr.release.{first['version']}")
    assert published["payload"]["counts"]["figures"] == first["figures"]
    rejected = [each for each in of(found, f"pfocr.release.{source.version()}") if "rejected" in each["event"]]
    assert "figures fell by 50.0%" in rejected[0]["payload"]["reasons"][0]
    made = [each for each in found if each["event"] == "prefect.asset.materialization.succeeded"]
    lineage = {
        each["resource"]["prefect.resource.id"]: {
            other["prefect.resource.id"] for other in each["related"] if other["prefect.resource.role"] == "asset"
        }
        for each in made
    }
    assert lineage[f"file://{out}"] == {source.address}
    assert lineage[store] == {f"file://{out}"}


def test_a_served_store_holds_each_release_and_takes_just_the_change(source: History, tmp_path: Path) -> None:
    from tests import servers

    (tmp_path / "store").mkdir()
    with servers.oxigraph(servers.require_oxigraph(), tmp_path / "store") as server:
        address = server.query.rpartition("/")[0]
        first = run(source, tmp_path / "site", to=[address])["stores"][0]
        assert first["way"] == "full"
        changing.drop(source.files, source.files.records()[-1])
        source.commit()
        second = run(source, tmp_path / "site", to=[address])["stores"][0]
        assert (second["way"], second["version"]) == ("difference", source.version())
        assert second["removed"] > 0
        third = run(source, tmp_path / "site", to=[address])["stores"][0]
        assert third["way"] == "nothing"


RELEASE = {
    "version": "20240102",
    "previous": "20240101",
    "source": {"revision": "abc", "date": "2024-01-02T00:00:00Z"},
    "counts": {"figures": 2, "papers": 1},
    "triples": {"core": 9},
    "checks": {
        "violations": 0,
        "warnings": 3,
        "outcomes": {"Q2": {"status": "passed", "count": 0}, "Q1": {"status": "failed", "count": 3}},
    },
}


def test_pages_show_what_came_and_what_is_gone() -> None:
    before = {"counts": {"figures": 3}, "triples": {"core": 9, "xrefs": 4}}
    rows = {row["count"]: (row["before"], row["now"], row["difference"]) for row in pages.counts(RELEASE, before)}
    assert rows == {
        "figures": (3, 2, -1),
        "papers": (None, 1, None),
        "triples": (13, 9, -4),
        "triples of core": (9, 9, 0),
        "triples of xrefs": (4, 0, -4),
    }
    assert [row["check"] for row in pages.checks(RELEASE)] == ["Q1", "Q2"]


def test_what_a_reason_says_cannot_be_markup() -> None:
    page = pages.rejected_page("x", ["<img src=x> [link](http://evil) `code` | cell\n# head"], "/site/rejected/x", None)
    assert "\\<img src=x\\>" in page
    assert "\\[link\\]" in page
    assert "\n# head" not in page
