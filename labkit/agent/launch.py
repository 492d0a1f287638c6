"""Run a server in this process with the agent in each of its workers.

    python launch.py --run-dir DIR --server gunicorn|uvicorn|builtin [--walker FILE] -- ARGUMENTS OF THE SERVER

Run by path with any interpreter that has the server. The process is killed when its parent dies.
For ``builtin`` the arguments are ``--bind HOST:PORT MODULE:APP``. ``--walker`` names the compiled walker.
"""

import importlib.util
import os
import sys

PRIVATE_NAME = "_labkit_agent"


def load_agent():
    """Import the folder this file is in as a package with a private name, without touching sys.path."""
    if PRIVATE_NAME in sys.modules:
        return sys.modules[PRIVATE_NAME]
    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        PRIVATE_NAME, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[PRIVATE_NAME] = package
    spec.loader.exec_module(package)
    return package


def main(arguments):
    """Parse the few options by hand, so that argparse need not be loaded into the worker."""
    split = arguments.index("--")
    own, rest = arguments[:split], arguments[split + 1 :]
    options = dict(zip(own[::2], own[1::2], strict=True))
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    os.environ["LABKIT_RUN_DIR"] = options["--run-dir"]
    load_agent()
    from _labkit_agent import compiled, own, servers

    own.add_module(sys.modules[__name__])
    if "--walker" in options:
        compiled.load(options["--walker"])  # where it cannot be used, the other walker is

    servers.die_with_parent()
    servers.RUNNERS[options["--server"]](rest)


if __name__ == "__main__":
    main(sys.argv[1:])
