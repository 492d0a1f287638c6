"""What lives inside the app's worker: standard library only, loaded by file path, never imports labkit.

The same files run in two places. The driver imports them as ``labkit.agent``; the worker, whose
interpreter may not have labkit at all, loads this folder under a private name (see ``launch.py``).
"""

import os

AGENT_DIR = os.path.dirname(os.path.abspath(__file__))
