"""Judges codes where R4 binds an element to a value set and requires a code of it.

The value sets are in the table as far as they can be listed. Two that R4 takes from elsewhere are known by the look of
their codes. Bindings of other strengths let a record say what its value set lacks, so they are not judged.

*Source*: http://hl7.org/fhir/R4/terminologies.html#required.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.fhir.primitives import Check, Finding, Findings
from fhirtwin.fhir.tables import VALUE_SETS

FORMS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    # *Source*: RFC 6838, section 4.2 (names) and RFC 2045, section 5.1 (parameters).
    "mimetypes": (
        re.compile(
            r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9*][A-Za-z0-9!#$&^_.+-]{0,126}(\s*;.*)?", re.ASCII
        ),
        "Expected a media type such as text/plain.",
    ),
    # *Source*: ISO 4217.
    "currencies": (re.compile("[A-Z]{3}"), "Expected a currency of ISO 4217: three capital letters."),
}
_MOST_NAMED: Final = 12
"""Codes that a text names; of a longer value set it gives the name only."""


def code(one: Check, name: str) -> Check:
    """Make the check of a code that must be in a value set.

    Args:
        one: the check of the code's format, which comes first.
        name: of the value set, as the table calls it.
    """
    if name in FORMS:
        pattern, expected = FORMS[name]
        return _of_form(one, pattern, expected)
    codes = codes_of(name)
    wrong: Finding = ("", "code-invalid", _expected(name, codes))

    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        if type(value) is str and value in codes:
            return None
        return one(value, owner) or [wrong]

    return check


def concept(one: Check, name: str) -> Check:
    """Make the check of a CodeableConcept of which one coding must be in a value set; a text alone does not do.

    Args:
        one: the check of the concept's structure, which comes first.
        name: of the value set, as the table calls it.
    """
    systems = VALUE_SETS[name]
    codes = codes_of(name)
    wrong: Finding = ("", "code-invalid", f"{_expected(name, codes)} The system is {' or '.join(sorted(systems))}.")

    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        findings = one(value, owner)
        if findings:
            return findings
        for coding in value.get("coding", ()):
            if coding.get("code") in systems.get(coding.get("system"), ()):
                return None
        # An extension in place of everything else says why there is no code.
        return None if value.keys() <= {"id", "extension"} else [wrong]

    return check


def codes_of(name: str) -> frozenset[str]:
    """The codes of a value set of the table, whatever system they are of."""
    return frozenset().union(*VALUE_SETS[name].values())


def _of_form(one: Check, pattern: re.Pattern[str], expected: str) -> Check:
    def check(value: Any, owner: Mapping[str, Any]) -> Findings:
        return one(value, owner) or (None if pattern.fullmatch(value) else [("", "code-invalid", expected)])

    return check


def _expected(name: str, codes: frozenset[str]) -> str:
    if len(codes) > _MOST_NAMED:
        return f"Expected a code of the R4 value set {name}."
    return f"Expected one of {', '.join(sorted(codes))}."
