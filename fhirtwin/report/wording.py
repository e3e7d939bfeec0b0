"""Numbers, units and dates as a clinician reads them, and text that is safe inside Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

from fhirtwin.predictors.model import UsedInput, Value
from fhirtwin.rules.findings import SUMMARY_LENGTH

UNITS: Final = {
    "a": "years",
    "mm[Hg]": "mmHg",
    "kg/m2": "kg/m²",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "{INR}": "",
}
"""UCUM codes that clinicians write otherwise; all others are shown as they are."""

_SIGNIFICANT = 4
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MARKUP = re.compile(r"([\\`*_\[\]<>|~#&!@])")
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp):|\b(www)\.")


def number(value: Decimal) -> str:
    """A measured number with at most four significant digits, never in exponent form and never with digits added."""
    if value.is_zero():
        return "0"
    exponent = value.as_tuple().exponent
    places = min(max(0, _SIGNIFICANT - 1 - value.adjusted()), max(0, -exponent if isinstance(exponent, int) else 0))
    return format(value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP), "f")


def quantity(value: Value, unit: str) -> str:
    """A value with its unit: `128 mmHg`, `yes`, `female`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = number(value) if isinstance(value, Decimal) else value
    return f"{text} {UNITS.get(unit, unit)}".rstrip()


def percent(value: Decimal) -> str:
    """A percentage with the digits it has: `7.4 %`."""
    return f"{value:f} %"


def day(time: str) -> str:
    """The date of a FHIR date or dateTime, as precise as it is."""
    return time.partition("T")[0]


def citation(reference: str) -> str:
    """A reference to a version, in words: `Observation/a version 2`."""
    return reference.replace("/_history/", " version ")


def is_assumed(given: UsedInput) -> bool:
    """Whether the value stands for a record that nobody found, on a list that was really obtained."""
    return not given.sources


def lower(text: str) -> str:
    """A name as it stands inside a sentence: `heart failure`, but `CKD G3`."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def plain(text: str) -> str:
    """Text on one line, without characters that control a terminal, a page or the direction of writing."""
    return " ".join(_CONTROL.sub(" ", text).split())


@lru_cache(maxsize=4096)
def escape(text: str) -> str:
    """Text that GitHub Flavored Markdown shows as it is: no emphasis, no link, no HTML, no table cell, no line break.

    Source: https://github.github.com/gfm/#backslash-escapes and https://github.github.com/gfm/#autolinks-extension-
    """
    escaped = _MARKUP.sub(r"\\\1", plain(text))
    return _AUTOLINK.sub(lambda found: f"{found[1]}\\:" if found[1] else f"{found[2]}\\.", escaped)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; every cell is escaped."""
    lines = [head, tuple("---" for _ in head), *(tuple(escape(cell) for cell in row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def summary(parts: Iterable[str]) -> str:
    """As many parts as fit into a card's summary, joined by `; `; a first part that is too long is cut with `…`."""
    text = ""
    for part in map(plain, parts):
        joined = f"{text}; {part}" if text else part
        if text and len(joined) > SUMMARY_LENGTH:
            break
        text = joined
    return text if len(text) <= SUMMARY_LENGTH else text[: SUMMARY_LENGTH - 1].rstrip() + "…"
