"""Modules imported one after the other, for a thousand requests."""

import falcon

import importlib

MODS = [
    "email.mime.text",
    "xml.dom.minidom",
    "sqlite3",
    "decimal",
    "asyncio",
    "unittest.mock",
    "http.server",
    "multiprocessing.pool",
    "lxml.etree",
    "numpy",
    "jinja2",
    "cattrs",
    "marshmallow",
    "tarfile",
    "zipfile",
    "xmlrpc.client",
    "csv",
    "imaplib",
    "ftplib",
    "smtplib",
    "plistlib",
    "fileinput",
    "curses",
    "dbm",
    "statistics",
    "fractions",
    "turtle",
]


def work(i):
    n = int(i) // 40
    if n < len(MODS):
        try:
            importlib.import_module(MODS[n])
        except Exception:
            pass
    return 1


class Resource:
    def on_get(self, req, resp, i):
        resp.media = {"r": work(i)}


app = falcon.App()
app.add_route("/x/{i}", Resource())
