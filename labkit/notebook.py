"""What a notebook calls: open a recording, analyse it, show it. Nothing is measured in the kernel itself."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML, clear_output, display

from labkit import pipeline
from labkit.cases import target_of
from labkit.drive.options import RecordOptions
from labkit.drive.record import record
from labkit.errors import NotACapture, TooFewSnapshots
from labkit.findings.conclude import one_per_rung
from labkit.findings.evidence import gather
from labkit.findings.model import Findings
from labkit.growth.trend import trend_of
from labkit.store.bundle import unpack
from labkit.store.capture import Capture
from labkit.store.snapshot import read_snapshot
from labkit.views import pictures
from labkit.views.figures import figure_svg
from labkit.views.memory import memory_figure
from labkit.views.names import shown

LINE = "slope of the steady part"
NONE = "none"
DATA = Path(__file__).resolve().parents[1] / "data"


def open_recorded(name: str) -> Capture:
    """Open a recording that comes with the repository; raises NotACapture when there is none of that name."""
    file = DATA / f"{name}.capture"
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in DATA.glob("*.capture")))
        raise NotACapture(
            f"There is no recording {name!r}.", seen=f"there are: {there}", hint="data/remake.py makes them"
        )
    return unpack(file, _scratch() / "capture")


def investigate(target: str, options: RecordOptions | None = None) -> Findings:
    """Run a case under a server of its own, with a progress bar, and analyse what was recorded."""
    command = f"labkit investigate {target}"
    capture = record(target_of(target), options or RecordOptions(), _scratch() / "capture", command, progress=True)
    return analyse(capture)


def analyse(capture: Capture) -> Findings:
    """Analyse a capture, saying what is being done meanwhile."""
    findings = pipeline.analyse(capture, _said)
    clear_output(wait=True)
    return findings


def show(findings: Findings) -> HTML:
    """The verdict in words, and what grew, as a picture."""
    return HTML(pictures.overview(findings))


def chain(findings: Findings) -> HTML:
    """The retaining chain of the first suspect as a picture."""
    return HTML(pictures.chain_picture(findings))


def memory(*captures: Capture) -> HTML:
    """RSS and USS of the workers of each capture, one panel each."""
    figure, alt = memory_figure({str(c.manifest["label"]): one_per_rung(c.samples) for c in captures})
    return HTML(pictures.picture(figure_svg(figure), alt, 960))


def evidence(findings: Findings) -> pd.DataFrame:
    """The first suspect rung by rung: requests, objects, bytes and bytes per request since the rung before."""
    points = findings.suspects[0].series if findings.suspects else []
    table = pd.DataFrame([point.model_dump() for point in points], columns=["requests", "objects", "bytes"])
    table["bytes per request"] = (table["bytes"].diff() / table["requests"].diff()).round(1)
    return table


def types_that_grew(capture: Capture, rows: int = 8) -> pd.DataFrame:
    """Objects by type after warm-up and at the end, the largest gains first."""
    first, last = (_by_type(capture, entry.file) for entry in (capture.snapshots[0], capture.snapshots[-1]))
    table = pd.DataFrame({"after warm-up": first, "at the end": last}).fillna(0).astype(int)
    table["gained"] = table["at the end"] - table["after warm-up"]
    return table.sort_values("gained", ascending=False).head(rows)


def growth_per_rung(capture: Capture, rows: int = 1) -> pd.DataFrame:
    """Objects gained per request in each rung, for the populations that gained most."""
    evidence_ = gather(capture, _said)
    clear_output(wait=True)
    gained = evidence_.objects[:, -1] - evidence_.objects[:, 0]
    kinds = [row.type for row in evidence_.populations.rows]
    tops = [number for number in np.argsort(-gained).tolist() if "." in kinds[number]][:rows]
    rates = np.diff(evidence_.objects[tops], axis=1) / np.diff(evidence_.requests)
    names = [kinds[number] for number in tops]
    rungs = [f"rung {rung}" for rung in range(1, rates.shape[1] + 1)]
    return pd.DataFrame(rates.round(2), index=pd.Index(names, name="gained per request"), columns=rungs)


def shapes(**series: list[float]) -> pd.DataFrame:
    """How labkit judges made-up series: one value per rung of 100 requests, the first after the warm-up."""
    rows: dict[str, dict[str, object]] = {}
    for name, values in series.items():
        try:
            trend = trend_of([100 * rung for rung in range(len(values))], values)
            steady = trend.shape == "linear"
            rows[name.replace("_", " ")] = {"shape": trend.shape, LINE: f"{trend.slope:.2f}" if steady else NONE}
        except TooFewSnapshots:
            rows[name.replace("_", " ")] = {"shape": f"refused, too few snapshots ({len(values)})", LINE: NONE}
    return pd.DataFrame.from_dict(rows, orient="index")


def _by_type(capture: Capture, file: str) -> pd.Series[int]:
    snapshot = read_snapshot(capture.folder / file)
    counts = np.bincount(snapshot.columns["node_type"], minlength=len(snapshot.types))
    return pd.Series(counts, index=snapshot.types).groupby(level=0).sum()


def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="labkit-notebook-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _said(line: str) -> None:
    clear_output(wait=True)
    display(HTML(f"<em>{_safe(line)} …</em>"))


def _safe(text: str) -> str:
    return escape(shown(text))
