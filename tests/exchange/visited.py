"""python visited.py CASE_FOLDER VARIANT FILE: visit a sample app in this process, then take a snapshot of it."""

import importlib
import sys
from pathlib import Path

from falcon import testing

from labkit.agent import snapshot
from labkit.cases import load_case

folder, variant, file = sys.argv[1:]
sys.path.insert(0, folder)
client = testing.TestClient(importlib.import_module(variant).app)
case = load_case(Path(folder) / "case.toml")
for visit in range(60):
    for step in case.load.steps:
        method, _, path = step.request.partition(" ")
        words = {"{i}": str(visit), "{word}": f"word{visit}"}
        for mark, text in words.items():
            path = path.replace(mark, text)
        client.simulate_request(method, path, body=step.body, headers=step.headers)
snapshot.take(file, 60)
