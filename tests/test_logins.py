"""User and password go to the store that they are for, and to no other."""

from __future__ import annotations

import os

import pytest

from pfocr_rdf.stores import http

TWO = {
    "PFOCR_RDF_STORE_USER": "anyone",
    "PFOCR_RDF_STORE_PASSWORD": "general",
    "PFOCR_RDF_STORES__MAIN__URL": "https://main.example/ds/",
    "PFOCR_RDF_STORES__MAIN__USER": "admin",
    "PFOCR_RDF_STORES__MAIN__PASSWORD": "first",
    "PFOCR_RDF_STORES__INNER__URL": "https://main.example/ds/inner",
    "PFOCR_RDF_STORES__INNER__USER": "inner",
    "PFOCR_RDF_STORES__INNER__PASSWORD": "second",
    "PFOCR_RDF_STORES__OPEN__URL": "fuseki:http://127.0.0.1:7878",
}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://main.example/ds", ("admin", "first")),
        ("https://main.example/ds/", ("admin", "first")),
        ("https://main.example/ds/data", ("admin", "first")),
        ("https://main.example/ds/inner/data", ("inner", "second")),
        ("https://main.example/ds2", ("anyone", "general")),
        ("https://main.example.evil/ds", ("anyone", "general")),
        ("http://127.0.0.1:7878", None),
        ("sparql:https://main.example/ds", ("admin", "first")),
        ("http://127.0.0.1:78780", ("anyone", "general")),
        ("", ("anyone", "general")),
    ],
)
def test_each_store_gets_its_own_login(
    monkeypatch: pytest.MonkeyPatch, address: str, expected: tuple[str, str] | None
) -> None:
    monkeypatch.setattr(os, "environ", dict(TWO))
    assert http.login(address) == expected


def test_without_a_user_there_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"PFOCR_RDF_STORE_PASSWORD": "alone"})
    assert http.login("https://main.example") is None
    assert http.credentials("https://main.example") is None
