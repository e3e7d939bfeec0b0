"""Patients who were replaced by another, as `Patient.link` says: nothing is calculated or shown of them.

*Source*: http://hl7.org/fhir/R4/patient.html#links: of the two, the one that replaces is to be used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fhirtwin.access import Caller
from fhirtwin.errors import Unprocessable
from fhirtwin.fhir import codec, references
from fhirtwin.interactions import read
from fhirtwin.store import Reader

_MOST_LINKS: Final = 20
"""How many replacements are followed from one to the next."""


def current(reader: Reader, caller: Caller, id_: str) -> dict[str, Any]:
    """The Patient of this id, who is to be used.

    Raises:
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced; the text names by whom.
    """
    patient = codec.decode(read.current(reader, caller, "Patient", id_).data, max_depth=1000)
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


def _last(text: str, reader: Reader) -> str:
    for _ in range(_MOST_LINKS):
        found = references.parse(text)
        stored = reader.read("Patient", found.id) if found.kind == "relative" and found.type == "Patient" else None
        following = references.replaced_by(codec.decode(stored.data, max_depth=1000)) if stored and stored.data else ""
        if not following:
            break
        text = following
    return text
