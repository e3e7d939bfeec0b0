"""Marks tests with the numbered requirements that they show; `build_support/conformance.py` makes a page of them."""

from __future__ import annotations

from typing import Any

import pytest

CDS_HOOKS = "cds-hooks_2.0"


def conforms(rows: str, *values: Any) -> Any:
    """One parametrised case that shows requirements of CDS Hooks 2.0: their numbers, with blanks between."""
    named = [f"{CDS_HOOKS}@{row}" for row in rows.split()]
    return pytest.param(*values, marks=[pytest.mark.conforms(*named)] if named else [])
