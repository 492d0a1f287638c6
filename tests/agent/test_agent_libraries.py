"""The header names the packages that are somebody else's, by where their files lie; modules are not asked, but read."""

from __future__ import annotations

from pathlib import Path

from agent_targets import LOADED, Target

PROGRAM = """
import os, sys, types
here = os.getcwd()
for folder, package in (("site-packages", "borrowed"), ("site-packages", "shared"), ("mine", "own")):
    os.makedirs(os.path.join(here, folder, package), exist_ok=True)
    open(os.path.join(here, folder, package, "__init__.py"), "w").close()
    open(os.path.join(here, folder, package, "part.py"), "w").close()
    sys.path[:0] = [os.path.join(here, folder)] if os.path.join(here, folder) not in sys.path else []
import borrowed.part, own.part, shared
sys.modules["shared.extra"] = types.ModuleType("shared.extra")
sys.modules["shared.extra"].__file__ = os.path.join(here, "mine", "extra.py")  # a part of it is the app's
class Asked(types.ModuleType):
    def __getattribute__(self, name):
        raise SystemExit("a module was asked")
sys.modules["asked"] = Asked("asked")
class Path(str):
    def __contains__(self, other):
        raise SystemExit("a path was asked")
sys.modules["odd"] = types.ModuleType("odd")
sys.modules["odd"].__file__ = Path("/x/site-packages/odd.py")
sys.modules["token-7f3a9b2c55"] = types.ModuleType("token")
sys.modules["token-7f3a9b2c55"].__file__ = "/x/site-packages/token.py"
sys.modules["nothing"] = None
take("x.heap")
"""


def test_packages_in_library_folders_are_named_whoever_walks(target: Target, walker: Path) -> None:
    target.run(PROGRAM + LOADED.format(walker=str(walker)) + "\ntake('c.heap')")
    plain, compiled = (target.picture(name).snapshot.header for name in ("x.heap", "c.heap"))
    assert (plain["walker"], compiled["walker"]) == ("python", "c")
    named = plain["libraries"]
    assert named == compiled["libraries"] == sorted(named)
    assert {"borrowed", "os", "importlib", "_io", "builtins"} <= set(named)
    assert not {"own", "shared", "asked", "odd", "nothing", "__main__", "?"} & set(named)
    assert not any("7f3a" in name for name in named)
