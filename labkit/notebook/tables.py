"""What was measured, as tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
from IPython.display import clear_output

from labkit.errors import TooFewSnapshots
from labkit.findings.evidence import gather
from labkit.findings.model import Findings
from labkit.growth.trend import trend_of
from labkit.notebook.running import said
from labkit.store.capture import Capture
from labkit.store.snapshot import read_snapshot
from labkit.views.units import bytes_text
from labkit.views.wording import ledger_rows

LINE = "slope of the steady part"
NONE = "none"


def evidence(findings: Findings) -> pd.DataFrame:
    """The first suspect rung by rung: requests, objects, bytes and bytes per request since the rung before."""
    points = findings.suspects[0].series if findings.suspects else []
    table = pd.DataFrame([point.model_dump() for point in points], columns=["requests", "objects", "bytes"])
    rates = table["bytes"].diff() / table["requests"].diff()
    read = table.map("{:,}".format)
    read["bytes per request"] = ["–" if np.isnan(rate) else f"{rate:,.1f}" for rate in rates]
    return read.rename_axis(columns="rung")


def ledger(findings: Findings) -> pd.DataFrame:
    """Where the worker's memory is at the end, and by how much each part grows with a request."""
    rows = ledger_rows(findings.ledger, findings.unit)
    table = pd.DataFrame(rows, columns=["where the memory is", "at the end", "grows by"])
    table["at the end"] = table["at the end"].map(bytes_text)
    return table.set_index("where the memory is").rename_axis(index=None, columns="where the memory is")


def types_that_grew(capture: Capture, rows: int = 8) -> pd.DataFrame:
    """Objects by type after warm-up and at the end, the largest gains first."""
    first, last = (_by_type(capture, entry.file) for entry in (capture.snapshots[0], capture.snapshots[-1]))
    table = pd.DataFrame({"after warm-up": first, "at the end": last}).fillna(0).astype(int)
    table["gained"] = table["at the end"] - table["after warm-up"]
    top = table.sort_values("gained", ascending=False).head(rows)
    return top.map("{:,}".format).rename_axis(columns="type")


def growth_per_rung(capture: Capture, rows: int = 1) -> pd.DataFrame:
    """Objects gained per request in each rung, for the populations that gained most."""
    evidence_ = gather(capture, said)
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
