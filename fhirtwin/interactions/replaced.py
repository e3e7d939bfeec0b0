"""Patients who were replaced by another, as `Patient.link` says: nothing is calculated of them, and searches tell.

*Source*: http://hl7.org/fhir/R4/patient.html#links: of the two, the one that replaces is to be used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fhirtwin.access import Caller
from fhirtwin.access.visibility import View
from fhirtwin.errors import Issue, Unprocessable
from fhirtwin.fhir import codec, references
from fhirtwin.fhir.search.query import Condition, Query
from fhirtwin.fhir.search.values import ReferenceValue
from fhirtwin.interactions import read
from fhirtwin.store import Reader

_MOST_LINKS: Final = 20
"""How many replacements are followed from one to the next."""

_SUBJECTS: Final = frozenset({"patient", "subject"})
"""Search parameters that say whose records are looked for."""


def current(reader: Reader, caller: Caller, id_: str) -> dict[str, Any]:
    """The Patient of this id, who is to be used.

    Raises:
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced; the text names by whom.
    """
    patient = codec.reread(read.current(reader, caller, "Patient", id_).data)
    refuse(patient, reader)
    return patient


def refuse(patient: Mapping[str, Any], reader: Reader) -> None:
    """Return when a Patient was not replaced.

    Args:
        patient: stored here or sent.
        reader: the open transaction, to follow one replacement after the other.

    Raises:
        Unprocessable: it was; the text names the last one that can be told.
    """
    text = references.replaced_by(patient)
    if text:
        raise Unprocessable(
            f"This Patient was replaced by {_last(text, reader)}: use that one.", expression="Patient.link"
        )


def hints(reader: Reader, query: Query, sight: View) -> Iterator[Issue]:
    """Tell of Patients that the first page of a search asks for and who were replaced.

    A merge moves records to the Patient who stays, so a search by the other finds none; that must not pass for a
    record in which there is nothing.

    Args:
        reader: the open transaction.
        query: the search.
        sight: what the caller may see; of a Patient who is not seen nothing is told.
    """
    asked = {} if query.position else dict(_named(query))
    stored = [one for id_ in asked if (one := reader.numbered("Patient", id_))]
    for one in reader.only_seen(stored, sight):
        text = references.replaced_by(codec.reread(one.stored.data))
        if text:
            path, name = f"Patient/{one.stored.id}", asked[one.stored.id]
            told = f"`{name}` names {path}, who was replaced by {text}: search for that one."
            yield Issue("informational", told, severity="information")


def _named(query: Query) -> Iterator[tuple[str, str]]:
    """Ids that may be those of Patients stored here, and the search parameters that name them."""
    for condition in (one for wanted in query.wanted for one in wanted.criteria if isinstance(one, Condition)):
        for value in condition.values if condition.parameter.name in _SUBJECTS else ():
            if isinstance(value, ReferenceValue) and not value.base and value.type in ("", "Patient"):
                yield value.id, condition.parameter.name


def _last(text: str, reader: Reader) -> str:
    for _ in range(_MOST_LINKS):
        found = references.parse(text)
        stored = reader.read("Patient", found.id) if found.kind == "relative" and found.type == "Patient" else None
        following = references.replaced_by(codec.reread(stored.data)) if stored and stored.data else ""
        if not following:
            break
        text = following
    return text
