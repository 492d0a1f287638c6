"""A third of the cases; see ``graded.py``."""

from __future__ import annotations

import pytest

from labkit.cases import Case

from .conftest import Labkit
from .graded import check_variant, variants


@pytest.mark.parametrize(("case", "variant"), variants(0))
def test_the_verdict_is_the_truth(case: Case, variant: str, labkit: Labkit) -> None:
    check_variant(case, variant, labkit)
