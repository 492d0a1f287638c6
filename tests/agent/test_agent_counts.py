"""Reference counts: how many of a worker's objects have every reference explained."""

from __future__ import annotations

import pytest
from agent_targets import Target

FALCON_APP = """
import falcon
class Things:
    def __init__(self):
        self.kept = {}
    def on_get(self, req, resp, name):
        self.kept[len(self.kept)] = req.path
        resp.media = {"count": len(self.kept)}
app = falcon.App()
app.add_route("/{name}", Things())
"""

#: About as many modules as a service loads, without any third party.
LIBRARY_APP = """
import asyncio, collections, concurrent.futures, csv, ctypes, dataclasses, datetime, decimal, email.message, enum
import functools, hashlib, html, http.client, http.server, inspect, ipaddress, json, logging.config, multiprocessing
import pathlib, pickle, queue, random, re, sqlite3, ssl, statistics, tempfile, typing, unittest.mock, urllib.request
import uuid, xml.etree.ElementTree, zipfile
kept = []
@functools.lru_cache(maxsize=50)
def cached(path):
    return [path]
def app(environ, start_response):
    kept.append(cached(environ["PATH_INFO"]))
    start_response("200 OK", [])
    return [b"x"]
"""


def _check(target: Target) -> None:
    picture = target.picture()
    nodes, gaps = picture.mortal_gaps()
    old = picture.snapshot.header["python"].startswith("3.11")
    # The constants of modules frozen into 3.11 refer to these without counting.
    uncounted = {"bool", "NoneType", "ellipsis"} if old else set()
    assert {picture.type_of(int(node)) for node in nodes[gaps < 0]} <= uncounted
    share = float((gaps == 0).mean())
    assert share >= (0.95 if old else 0.985), share
    assert len(nodes) > 50_000


@pytest.mark.parametrize("server", ["builtin", "gunicorn"])
def test_a_falcon_workers_objects_have_their_references_explained(target: Target, server: str) -> None:
    with target.serve(FALCON_APP, server=server) as served:
        for number in range(30):
            served.get(f"/{number}")
        served.agent.snapshot(str(target.folder / "x.heap"))
    _check(target)


def test_a_plain_workers_objects_have_their_references_explained(target: Target) -> None:
    with target.serve(LIBRARY_APP) as served:
        for number in range(30):
            served.get(f"/{number}")
        served.agent.snapshot(str(target.folder / "x.heap"))
    _check(target)
    picture = target.picture()
    cached = picture.follow(picture.root("app"), "cached")
    links = [
        node
        for _, _, node in picture.edges(cached)
        if "link" in picture.type_of(node) or "lru" in picture.type_of(node)
    ]
    assert len(links) >= 30
    assert [picture.gap(node) for node in links[:30]] == [0] * 30
