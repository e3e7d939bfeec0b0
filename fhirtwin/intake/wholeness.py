"""Whether a Bundle holds all that was asked for, as far as it says so itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.intake.belonging import is_outcome

_FAILURES: Final = ("error", "fatal")


def is_a_page(bundle: Mapping[str, Any]) -> bool:
    """Whether there is more on another page."""
    return any(link.get("relation") == "next" for link in bundle.get("link", ()))


def has_failed(bundle: Mapping[str, Any]) -> bool:
    """Whether an OperationOutcome in it says that something went wrong: then it may lack anything."""
    return any(_is_failure(entry.get("resource")) for entry in bundle.get("entry", ()))


def _is_failure(value: Any) -> bool:
    return is_outcome(value) and any(issue["severity"] in _FAILURES for issue in value["issue"])
