"""A comparison as a table for people."""

from __future__ import annotations

from typing import Final

from fhirtwin.pgx.response.compare import Candidate, Comparison
from fhirtwin.pgx.response.terms import Estimate

HEADER: Final = ("drug", "response", "discontinuation", "side effects", "cautions", "cannot be told apart from")


def rows(told: Comparison) -> tuple[tuple[str, ...], ...]:
    """Give the header and a row for each drug, ranked ones first."""
    return HEADER, *(_row(one) for one in (*told.ranked, *told.without))


def _row(one: Candidate) -> tuple[str, ...]:
    effects = [
        f"{each.effect} {each.expected:.0f} %" + (" (scaled)" if each.label else "") for each in one.side_effects
    ]
    labels = [f"{each.strength}: {each.condition}" for each in one.met]
    labels += [f"not known: {each.condition}" for each in one.unasked]
    others = ", ".join(one.like)
    return one.drug, _text(one.response), _text(one.discontinuation), "; ".join(effects), "; ".join(labels), others


def _text(one: Estimate | None) -> str:
    if one is None:
        return "no evidence here"
    low, high = one.interval
    return f"{one.probability:.0%} ({low:.0%} to {high:.0%})"
