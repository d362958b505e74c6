"""The served endpoint speaks the SPARQL 1.1 Protocol, keeps its limits, calls nobody, and cannot be taken down."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from pfocr_rdf.cli import app
from pfocr_rdf.query import PREFIXES, names_graphs
from pfocr_rdf.serve import protocol
from pfocr_rdf.serve.protocol import Refused
from tests import releasing
from tests.serving import FORM, JSON, Serving, built, serving

GRAPH = "https://w3id.org/pfocr/graph/"
COUNT = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
GENES = "SELECT DISTINCT ?id ?n WHERE { ?figure dcterms:identifier ?id ; pfocr:strictGeneCount ?n } ORDER BY ?id"
FOREVER = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
DEEP = "SELECT * " + "{" * 100_000 + "}" * 100_000
ROWS = 200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("build") / "build")


@pytest.fixture(scope="module")
def server(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(made, tmp_path_factory.mktemp("serve"), "--seconds", "3", "--rows", str(ROWS)) as found:
        yield found


def test_all_three_forms_of_a_query_give_the_same(server: Serving) -> None:
    direct = server.send("POST", "/sparql", GENES.encode(), Content_Type="application/sparql-query; charset=UTF-8")
    answers = [server.get(GENES), server.post(GENES), direct]
    assert {each.status for each in answers} == {200}
    assert {each.media for each in answers} == {JSON}
    assert len({each.body for each in answers}) == 1
    assert [row["n"] for row in answers[0].rows()] == ["4", "8", "3", "3", "5", "2"]


ROW_TYPES = [
    ("", JSON),
    ("*/*", JSON),
    ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),
    ("application/json", "application/json"),
    ("application/sparql-results+xml", "application/sparql-results+xml"),
    ("text/csv", "text/csv"),
    ("text/tab-separated-values", "text/tab-separated-values"),
    ("text/*;q=0.9, application/*;q=0.1", "text/csv"),
    ("application/sparql-results+json;q=0.2, text/csv;q=0.7, text/turtle", "text/csv"),
]


@pytest.mark.parametrize(("accept", "media"), ROW_TYPES)
def test_rows_come_in_the_form_that_is_liked_best(server: Serving, accept: str, media: str) -> None:
    got = server.get(GENES, accept)
    assert (got.status, got.media) == (200, media), got.text
    if "json" in media:
        numbers = [row["n"]["value"] for row in json.loads(got.body)["results"]["bindings"]]
    elif "xml" in media:
        said = "{http://www.w3.org/2005/sparql-results#}"
        results = ElementTree.fromstring(got.text).iter(f"{said}result")  # noqa: S314 - our own server's
        numbers = [[found.text or "" for found in row.iter(f"{said}literal")][1] for row in results]
    else:
        cells = list(csv.reader(io.StringIO(got.text), delimiter="," if media == "text/csv" else "\t"))
        assert cells[0] == (["id", "n"] if media == "text/csv" else ["?id", "?n"])
        numbers = [row[1] for row in cells[1:]]
    assert numbers == ["4", "8", "3", "3", "5", "2"]


GRAPH_TYPES = [
    ("", "text/turtle", ox.RdfFormat.TURTLE),
    ("application/n-triples", "application/n-triples", ox.RdfFormat.N_TRIPLES),
    ("application/rdf+xml", "application/rdf+xml", ox.RdfFormat.RDF_XML),
    ("application/ld+json", "application/ld+json", ox.RdfFormat.JSON_LD),
    ("text/csv;q=0.3, text/turtle;q=0.2", "text/turtle", ox.RdfFormat.TURTLE),
]


@pytest.mark.parametrize(("accept", "media", "form"), GRAPH_TYPES)
def test_graphs_come_in_the_form_that_is_liked_best(
    server: Serving, accept: str, media: str, form: ox.RdfFormat
) -> None:
    got = server.post(
        "CONSTRUCT { ?f dcterms:identifier ?id } WHERE { ?f dcterms:identifier ?id ; a sio:SIO_000080 }", accept
    )
    assert (got.status, got.media) == (200, media), got.text
    found = {quad.object.value for quad in ox.parse(got.body, format=form)}
    assert "PMC9100001__aqs-12-0045-g003" in found
    assert len(found) == 6


def test_yes_and_no(server: Serving) -> None:
    assert json.loads(server.get("ASK { ?f a sio:SIO_000080 }").body)["boolean"] is True
    assert json.loads(server.get("ASK { ?f a <http://example.org/none> }").body)["boolean"] is False
    assert "<boolean>true</boolean>" in server.get("ASK {}", "application/sparql-results+xml").text


@pytest.mark.parametrize("accept", ["image/png", "text/turtle", "application/json;q=0"])
def test_a_type_that_rows_cannot_have_is_refused(server: Serving, accept: str) -> None:
    got = server.get(GENES, accept)
    assert got.status == 406
    assert "application/sparql-results+json" in got.text


def test_the_default_graph_is_the_union_unless_query_or_request_says_otherwise(server: Serving) -> None:
    def count(text: str, **fields: str) -> int:
        found = {int(ask(text, **fields).rows()[0]["n"]) for ask in (server.get, server.post)}
        assert len(found) == 1
        return found.pop()

    core = count(f"SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH <{GRAPH}core> {{ ?s ?p ?o }} }}")
    xrefs = count(f"SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH <{GRAPH}xrefs> {{ ?s ?p ?o }} }}")
    assert 0 < core < count(COUNT)
    assert count(COUNT.replace("WHERE", f"FROM <{GRAPH}core>")) == core
    assert count(COUNT.replace(" WHERE", f"\nfrom<{GRAPH}core>from <{GRAPH}xrefs>")) == core + xrefs
    assert count(COUNT, **{"default-graph-uri": f"{GRAPH}core"}) == core
    other = COUNT.replace("WHERE", f"FROM <{GRAPH}xrefs>")
    assert count(other, **{"default-graph-uri": f"{GRAPH}core"}) == core, "the request is stronger"
    named = "SELECT (COUNT(DISTINCT ?g) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }"
    assert count(named) > 5
    assert count(named, **{"named-graph-uri": f"{GRAPH}core"}) == 1
    assert count(COUNT, **{"named-graph-uri": f"{GRAPH}core"}) == 0, "then the default graph is empty"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT ?from { ?from ex:from 'FROM' }", False),
        ("PREFIX from: <http://a/FROM> SELECT * { ?a from:b <http://x/ FROM>, 1 }", False),
        ('SELECT * # FROM <x>\n{ ?a ?b """FROM <x>""" }', False),
        ("SELECT * FROM <http://g> {}", True),
        ("SELECT *FROM NAMED <http://g> {}", False),
        ("SELECT * { }", False),
        ("DESCRIBE <http://x#y> from ex:g", True),
        ("CONSTRUCT { ?a ?b 'it' } FROM <http://g> WHERE { ?a ?b ?c }", True),
    ],
)
def test_a_query_that_says_what_its_default_graph_is_is_known(text: str, named: bool) -> None:
    if text.startswith("SELECT *FROM"):
        assert names_graphs(text) is True
    elif "<http://x/ FROM>" in text:
        assert names_graphs(text) is True, "that is no IRI, so the query cannot be read anyway"
    else:
        assert names_graphs(text) is named


def test_the_answer_is_that_of_the_library_for_every_kind_of_term(server: Serving) -> None:
    values = (
        r'VALUES (?a ?b) { ("x\ty\nz\r\"\\" 1) ("01"^^xsd:integer 1.50) (1e0 "NaN"^^xsd:double) (true UNDEF) '
        '(UNDEF UNDEF) ("a"@en-GB "") (<http://x/\u00e9> "\u00e9\u6f22\U0001f600") '
        '("x"^^<http://d> "tRUE"^^xsd:boolean) ("2024-02-30"^^xsd:date "a\u0085b,\u2028\\"") }'
    )
    prefix = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "
    for text in (f"{prefix}SELECT * {{ {values} }}", "SELECT * {}", "SELECT ?a {}", "SELECT ?x { FILTER(false) }"):
        for media, name in protocol.ROW_FORMATS.items():
            form = getattr(ox.QueryResultsFormat, name)
            expected = ox.Store().query(text).serialize(format=form)
            assert server.post(text, media).body == expected, (text, media)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "said"),
    [
        ("GET", "/sparql?query=", b"", {}, 400, "cannot be read"),
        ("GET", "/sparql?query=ASK{}&query=ASK{}", b"", {}, 400, "2 queries were given"),
        ("GET", "/sparql?query=SELECT%20*%20{%20?s%20a%20nope:x%20}", b"", {}, 400, "a prefix is not declared"),
        ("GET", "/sparql?query=%ff%fe", b"", {}, 400, "no percent-encoded UTF-8"),
        ("GET", f"/sparql?{'a=b&' * 300}query=ASK{{}}", b"", {}, 400, "more than 200 fields"),
        ("GET", "/sparql?query=ASK{}&default-graph-uri=not%20an%20iri", b"", {}, 400, "no absolute IRI"),
        ("POST", "/sparql", b"", {"Content-Type": FORM}, 400, "0 queries were given"),
        ("POST", "/sparql", b"query=ASK{}", {"Content-Type": "text/plain"}, 415, "send application/x-www-form"),
        ("POST", "/sparql", b"query=ASK{}", {}, 415, "of no type"),
        ("POST", "/sparql", b"ASK{}", {"Content-Type": "application/sparql-query; charset=utf-16"}, 415, "UTF-8"),
        ("POST", "/sparql", b"ASK{ ?s ?p '\xff' }", {"Content-Type": "application/sparql-query"}, 400, "no UTF-8"),
        ("POST", "/sparql", b"\x1f\x8b", {"Content-Type": FORM, "Content-Encoding": "gzip"}, 415, "compressed"),
        ("POST", "/sparql", b"query=" + b"x" * (1 << 20), {"Content-Type": FORM}, 413, "larger than 1 MiB"),
        ("POST", "/sparql", b"CLEAR ALL", {"Content-Type": "application/sparql-update"}, 403, "read only"),
        ("POST", "/sparql", b"update=CLEAR+ALL", {"Content-Type": FORM}, 403, "read only"),
        ("GET", "/sparql?update=CLEAR+ALL", b"", {}, 403, "read only"),
        ("POST", "/sparql", b"query=CLEAR+ALL", {"Content-Type": FORM}, 400, "cannot be read"),
        ("PUT", "/sparql?graph=http://x", b"<a:b> <a:b> <a:b> .", {"Content-Type": "text/turtle"}, 405, "read only"),
        ("DELETE", "/sparql?default", b"", {}, 405, "read only"),
    ],
)
def test_what_is_no_query_is_refused_in_one_line(
    server: Serving, method: str, path: str, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    got = server.send(method, path, body, **headers)
    assert (got.status, got.media) == (status, "text/plain"), got.text
    assert said in got.text
    assert got.text.count("\n") == 1
    assert got.headers["access-control-allow-origin"] == "*"
    assert server.get(COUNT).status == 200


def test_too_many_rows_are_an_error_and_never_cut(server: Serving) -> None:
    every = "SELECT * WHERE { ?s ?p ?o } LIMIT %d"
    assert len(server.get(every % ROWS).rows()) == ROWS
    for accept in (JSON, "text/csv", "text/tab-separated-values"):
        got = server.get(every % (ROWS + 1), accept)
        assert got.status == 400
        assert (
            got.text
            == f"the answer has more than {ROWS} rows, which is the limit here; add LIMIT {ROWS}, or ask for less\n"
        )
    graph = "CONSTRUCT { ?s ?p ?o } WHERE { SELECT DISTINCT * { ?s ?p ?o } LIMIT %d }"
    assert len(list(ox.parse(server.get(graph % ROWS).body, format=ox.RdfFormat.TURTLE))) == ROWS
    assert server.get(graph % (ROWS + 1)).status == 400


def test_rows_with_line_breaks_in_them_count_once(server: Serving) -> None:
    values = " ".join(f'"{number}\\n\\r\\n\\n"' for number in range(ROWS))
    assert len(server.post(f"SELECT * {{ VALUES ?v {{ {values} }} }}").rows()) == ROWS


def test_a_query_that_takes_too_long_ends_alone(server: Serving) -> None:
    answers: list[float] = []
    stop = threading.Event()

    def other() -> None:
        while not stop.is_set():
            begin = time.monotonic()
            assert server.get(COUNT).status == 200
            answers.append(time.monotonic() - begin)

    asking = threading.Thread(target=other)
    asking.start()
    begin = time.monotonic()
    got = server.get(FOREVER)
    took = time.monotonic() - begin
    stop.set()
    asking.join()
    assert got.status == 504
    assert got.text.startswith("the query took longer than 3 seconds, which is the limit here")
    assert 3 <= took < 20
    assert len(answers) > 3
    assert max(answers) < 3


def test_a_query_that_ends_its_process_ends_alone(server: Serving) -> None:
    got = server.post(DEEP)
    assert (got.status, "nested too deeply" in got.text) == (500, True)
    assert server.get(COUNT).status == 200


def test_a_client_that_goes_frees_its_place(server: Serving) -> None:
    request = f"GET /sparql?{urlencode({'query': FOREVER})} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    begin = time.monotonic()
    for _ in range(8):  # more than there are processes
        with socket.create_connection(("127.0.0.1", server.port)) as link:
            link.sendall(request)
            time.sleep(0.05)
    assert server.get(COUNT).status == 200
    assert time.monotonic() - begin < 3


@pytest.mark.slow
def test_an_idle_process_that_was_killed_is_replaced(server: Serving) -> None:
    assert server.process is not None
    idle = _children(server.process.pid)
    assert len(idle) > 1
    for pid in idle:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    assert [server.get(COUNT).status for _ in range(4)] == [200] * 4


def test_odd_bytes_on_the_line_do_no_harm(server: Serving) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /sparql?query=" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        head = b""
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as link, suppress(ConnectionError):
            link.sendall(sent)
            head = link.recv(4096)
        assert head == b"" or head.split()[1] in (b"400", b"404", b"415"), head
    assert server.get(COUNT).status == 200


def test_it_listens_on_this_machine_alone(server: Serving) -> None:
    wanted = f"{server.port:04X}"
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{wanted}")
    ]
    assert listening == [f"0100007F:{wanted}"]


def test_pages_of_other_places_may_ask(server: Serving) -> None:
    got = server.send("OPTIONS", "/sparql", Origin="https://example.org", Access_Control_Request_Method="POST")
    assert got.status == 204
    assert got.headers["access-control-allow-origin"] == "*"
    assert "POST" in got.headers["access-control-allow-methods"]
    assert "Content-Type" in got.headers["access-control-allow-headers"]
    assert server.get(COUNT).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in got.headers


def test_the_service_describes_itself(server: Serving) -> None:
    sd = "http://www.w3.org/ns/sparql-service-description#"
    got = server.send("GET", "/sparql", Accept="text/turtle")
    assert got.media == "text/turtle"
    said = {
        (q.subject.value, q.predicate.value, q.object.value) for q in ox.parse(got.body, format=ox.RdfFormat.TURTLE)
    }
    endpoint = f"{server.url}/sparql"
    assert (f"{endpoint}#service", f"{sd}endpoint", endpoint) in said
    assert (f"{endpoint}#service", f"{sd}feature", f"{sd}UnionDefaultGraph") in said
    named = {each[2] for each in said if each[1] == f"{sd}namedGraph"}
    held = {row["g"] for row in server.get("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }").rows()}
    assert named == held
    assert server.send("GET", "/sparql", Accept="application/n-triples").media == "application/n-triples"
    assert server.send("GET", "/sparql", Accept="text/html,*/*;q=0.1").headers["location"] == "./"
    void = server.send("GET", "/.well-known/void")
    assert (void.status, void.media) == (200, "text/turtle")
    assert f"void:sparqlEndpoint <{endpoint}>" in void.text


def test_health_tells_what_is_served(server: Serving) -> None:
    got = server.send("GET", "/health")
    assert json.loads(got.body)["status"] == "ok"
    assert len(json.loads(got.body)["manifest"]) == 64
    assert server.send("HEAD", "/health").status == 200
    assert server.send("GET", "/nothing").status == 404


def test_an_independent_client_gets_the_rows(server: Serving) -> None:
    from SPARQLWrapper import GET, JSON, POST, SPARQLWrapper

    for method in (GET, POST):
        client = SPARQLWrapper(f"{server.url}/sparql", returnFormat=JSON)
        client.setMethod(method)
        client.setQuery(PREFIXES + GENES)
        answer = client.queryAndConvert()
        assert isinstance(answer, dict)
        assert [row["n"]["value"] for row in answer["results"]["bindings"]] == ["4", "8", "3", "3", "5", "2"]


CALLS = [
    "SELECT * { SERVICE <U> { ?s ?p ?o } }",
    "SELECT * { service silent<U>{ ?s ?p ?o } }",
    "SELECT * { SERVICESILENT<U>{ ?s ?p ?o } }",
    "SELECT * { ?a ?b 1SERVICE <U> { ?s ?p ?o } }",
    "PREFIX : <U> SELECT * { SERVICE: { ?s ?p ?o } }",
    "PREFIX a: <U> SELECT * { SERVICE a:#{\n { ?s ?p ?o } }",
    "PREFIX a: <U#> SELECT * { SERVICE a:x\\#y { ?s ?p ?o } }",
    "BASE <U> SELECT * { SERVICE <> { ?s ?p ?o } }",
    "SELECT * { SERVICE#<http://x>\n#{\nSILENT # \n <U> # { \n{ ?s ?p ?o } }",
    'SELECT * { BIND(1 AS ?x) FILTER(?x<?b)#>"""\n SERVICE <U> { ?s ?p ?o } #"""\n }',
    "SELECT * { BIND(1 AS ?x) FILTER(?x<?b)#>'\n SERVICE <U> { ?s ?p ?o } #'\n }",
    "SELECT * { ?s ?p ?o FILTER EXISTS { SERVICE <U> { ?a ?b ?c } } }",
    "SELECT * { { SELECT * { SERVICE <U> { ?a ?b ?c } } } }",
    "SELECT * { VALUES ?u { <U> } SERVICE ?u { ?a ?b ?c } }",
    "CONSTRUCT { ?a ?b ?c } WHERE { SERVICE <U> { ?a ?b ?c } }",
    "DESCRIBE ?a { SERVICE <U> { ?a ?b ?c } }",
    "ASK { SERVICE <U> { ?a ?b ?c } }",
    r"SELECT * { \u0053ERVICE <U> { ?s ?p ?o } }",
    r"SELECT * { S\u0045RVICE \U00000053ILENT <U> { ?s ?p ?o } }",
]


@pytest.mark.parametrize("call", CALLS)
def test_no_query_calls_anybody(server: Serving, call: str) -> None:
    heard: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_error(500)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        got = server.post(re.sub("<U", f"<http://127.0.0.1:{listener.server_port}/", call))
        listener.shutdown()
        thread.join()
    assert (got.status, heard) == (403, []), got.text
    assert "does not ask other endpoints" in got.text


def test_words_that_only_look_like_a_call_are_let_through() -> None:
    for text in (
        'SELECT * { ?s ?p "customer service: good" . ?service a sd:Service . GRAPH ?service { ?a ?b ?c } }',
        "SELECT * { ?x ex:service ?y . { ?a ?b ?c } } # at your SERVICE",
    ):
        assert protocol.services(text) == []
    allowed = "SELECT * { SERVICE <https://example.org/sparql> { ?s ?p ?o } }"
    protocol.refuse_services(allowed, ["https://example.org/sparql"])
    for other in (
        allowed.replace("sparql>", "sparql2>"),
        f"BASE <http://10.0.0.1/> {allowed.replace('https://example.org/', '')}",
        allowed[:-1] + "SERVICE ?x { ?s ?p ?o } }",
        'SELECT * { BIND ("SERVICE <https://example.org/sparql> #" AS ?x) service <http://10.0.0.1/> { ?s ?p ?o }\n{}}',
    ):
        with pytest.raises(Refused):
            protocol.refuse_services(other, ["https://example.org/sparql"])


LONG = [
    "service :" * 100_000,
    "service " + ":" * 900_000,
    "service" + " #" * 400_000,
    "service <" * 90 + "x" * 900_000,
    "service " * 90 + "#\n" * 400_000,
    "service a:" + "\\x" * 400_000,
    "\\u0073" * 150_000,
    "'\\" * 400_000,
    '"' * 900_001,
]


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_looking_at_a_text_takes_no_time_whatever_it_is(text: str) -> None:
    begin = time.process_time()
    with suppress(Refused):
        assert protocol.services(text) == []
    names_graphs(text)
    assert time.process_time() - begin < 5


def test_a_call_can_be_allowed(made: Path, tmp_path: Path, server: Serving) -> None:
    with serving(made, tmp_path, "--service", f"{server.url}/sparql") as asking:
        rows = asking.get(f"SELECT ?n {{ SERVICE <{server.url}/sparql> {{ {COUNT} }} }}").rows()
        assert rows == server.get(COUNT).rows()
        assert asking.get("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }").status == 403


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(pid) for pid in listed.split()]


@pytest.mark.parametrize("loaded", [False, True], ids=["release", "database"])
def test_a_release_for_another_endpoint_is_served_with_its_description(
    loaded: bool, made: Path, tmp_path: Path
) -> None:
    endpoint = "https://example.org/sparql"
    place = releasing.release(made, tmp_path / "site", "20240101", endpoint=endpoint).place
    if loaded:
        done = CliRunner().invoke(app, ["load", str(place), "--to", str(tmp_path / "database")])
        assert done.exit_code == 0, done.output
        place = tmp_path / "database"
    with serving(place, tmp_path) as server:
        described = f"ASK {{ GRAPH <{endpoint}/.well-known/void> {{ ?dataset void:sparqlEndpoint ?where }} }}"
        assert json.loads(server.get(described).body)["boolean"]
        assert "license" in server.send("GET", "/.well-known/void").text
