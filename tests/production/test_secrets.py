"""A thousand secrets in a live worker: none is in any byte of its captures, their bundle, or a report of them."""

from __future__ import annotations

import http.client
import json
import lzma
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from servers import HOST, Served, serve

from labkit.drive.collect import collect_series
from labkit.pipeline import analyse
from labkit.store.bundle import pack
from labkit.views.report import write_report
from labkit.views.text import render_text

sys.path.append(str(Path(__file__).resolve().parents[1] / "agent"))
from test_agent_secrets import _secrets

#: Keeps what it is sent, in every way an app does, and one request's worth more each time.
APP = """
import json, os, sys, types
import falcon
secrets = iter(json.load(open("secrets.json")))
some = lambda count: [next(secrets) for _ in range(count)]
class Customer:
    def __init__(self, name, password):
        self.name, self.password = name, password
class Settings: pass
BY_TOKEN = {token: Customer(token, token + "!") for token in some(200)}
ADDRESSES = [{"email": each, each: {"nested": [each]}} for each in some(200)]
for each in some(50): setattr(Settings, each, each)
for each in some(50): os.environ[each] = each
SPACE = types.SimpleNamespace(**{each: each for each in some(50)})
BYTES = [each.encode() for each in some(50)] + [bytearray(each.encode()) for each in some(50)]
SETS = {frozenset(some(50)), tuple(some(50))}
def remember(*positional, **keywords):
    return lambda: (positional, keywords)
CLOSED = [remember(each, **{each: each}) for each in some(50)]
FAILURES, KEPT = [], []
class Things:
    def on_post(self, req, resp, number):
        try:
            body = req.get_media()
            KEPT.append({"headers": req.headers, "body": body, body["secret"]: number})
            raise LookupError(body["secret"])
        except LookupError as error:
            FAILURES.append(error)
        resp.text = number
    def on_get(self, req, resp, number):
        resp.text = number
app = falcon.App()
app.add_route("/{number}", Things())
"""


def every_byte(folder: Path) -> Iterator[bytes]:
    """Of each file, and of what is compressed in it."""
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        yield path.read_bytes()
        yield str(path.name).encode()
        if path.suffix == ".heap":
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(name) for name in archive.namelist())
        elif path.suffix == ".capture":
            yield lzma.decompress(path.read_bytes())


def post(served: Served, number: int, secret: str) -> None:
    connection = http.client.HTTPConnection(HOST, served.port, timeout=20)
    headers = {"Authorization": f"Bearer {secret}", "X-Customer": secret, "Content-Type": "application/json"}
    connection.request("POST", f"/{number}?token={secret}", json.dumps({"secret": secret, secret: [secret]}), headers)
    assert connection.getresponse().status == 200
    connection.close()


def test_no_byte_of_a_secret(tmp_path: Path, doors: Path) -> None:
    place, results = tmp_path / "served", tmp_path / "results"
    place.mkdir()
    results.mkdir()
    secrets = _secrets(1_000)
    (place / "secrets.json").write_text(json.dumps(secrets))
    sent = iter(secrets[800:])
    with serve("gunicorn gthread", place, doors, app=APP) as served:
        (worker,) = served.workers()

        def send(_: str) -> None:
            for number in range(40):
                post(served, number, next(sent))

        capture = collect_series(
            [worker],
            results / "series",
            snapshots=5,
            every_s=1.0,
            deadline_s=60,
            command="labkit capture",
            report=send,
        )
    assert next(sent, None) is None
    findings = analyse(capture)
    assert findings.verdict == "suspect"
    pack(capture, results / "series.capture")
    write_report(findings, results / "report.html")
    (results / "findings.json").write_text(findings.model_dump_json())
    (results / "answer.txt").write_text(render_text(findings))
    words = {word for part in every_byte(results) for word in re.findall(rb"[\w@.!-]{4,}", part)}
    content = b"\n".join(words)  # where a secret would be, with whatever stands around it
    assert b"KEPT" in words
    pieces = {piece for secret in secrets for piece in secret.split("@")[0].split("-") if len(piece) >= 12}
    assert [each for each in {*secrets, *pieces} if each.encode() in content] == []
