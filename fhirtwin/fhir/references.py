"""References between resources: what they point at, where they stand, and whom a resource is about.

*Source*: http://hl7.org/fhir/R4/references.html#literal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from fhirtwin.fhir.tables import PATIENT_ELEMENTS, PRIMITIVES, RESOURCE_TYPES, members

Kind = Literal["relative", "absolute", "urn", "contained", "conditional", "other"]

_RESTFUL: Final = re.compile(
    r"(?:(?P<base>https?://[^?#\s]+)/)?(?P<type>[A-Z][A-Za-z]{1,63})/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
)
_CONDITIONAL: Final = re.compile(r"(?P<type>[A-Z][A-Za-z]{1,63})\?(?P<query>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference taken apart.

    Attributes:
        kind: `relative` (`Patient/1`), `absolute` (`https://host/fhir/Patient/1`, or any other http URL), `urn`
            (`urn:uuid:...`, `urn:oid:...`), `contained` (`#a`), `conditional` (`Patient?identifier=...`), or `other`
            for text that is none of these.
        base: FHIR base URL of an absolute reference, without a slash at the end.
        type: resource type, where the text tells one of R4; else empty.
        id: logical id; of a contained reference what follows the `#`.
        version: of `/_history/version`.
        query: of a conditional reference what follows the `?`.
    """

    kind: Kind
    base: str = ""
    type: str = ""
    id: str = ""
    version: str = ""
    query: str = ""


def parse(text: str) -> Reference:
    """Take a reference apart; never fails, since text of no known form is of kind `other`."""
    if text.startswith("#"):
        return Reference("contained", id=text[1:])
    if text.startswith(("urn:uuid:", "urn:oid:")):
        return Reference("urn")
    found = _RESTFUL.fullmatch(text)
    if found and found["type"] in RESOURCE_TYPES:
        base, kind_of, id_, version = found.groups(default="")
        return Reference("absolute" if base else "relative", base=base, type=kind_of, id=id_, version=version)
    if text.startswith(("http://", "https://")):
        return Reference("absolute")
    found = _CONDITIONAL.fullmatch(text)
    if found and found["type"] in RESOURCE_TYPES:
        return Reference("conditional", type=found["type"], query=found["query"])
    return Reference("other")


def walk(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """List every `Reference.reference` of a resource with its place, those of extensions and nested resources included.

    What the R4 table does not know is passed over, so an invalid resource gives what can be told of it.

    Yields:
        Place (`Observation.subject`, `Bundle.entry[0].resource.subject`) and text of each reference.
    """
    name = resource.get("resourceType")
    if isinstance(name, str) and name in RESOURCE_TYPES:
        yield from _walk(resource, name, name)


def _walk(value: dict[str, Any], kind: str, place: str) -> Iterator[tuple[str, str]]:
    if kind == "Reference" and isinstance(value.get("reference"), str):
        yield place, value["reference"]
    known = members(kind)
    for name, item in value.items():
        member = known.get(name.removeprefix("_"))
        if member is None or not isinstance(item, dict | list):
            continue
        inner = "Element" if name.startswith("_") or member.kind in PRIMITIVES else member.kind
        here = f"{place}.{member.element}"
        for number, one in enumerate(item if isinstance(item, list) else [item]):
            if isinstance(one, dict):
                at = f"{here}[{number}]" if isinstance(item, list) else here
                nested = one.get("resourceType") if inner == "Resource" else inner
                if isinstance(nested, str) and (inner != "Resource" or nested in RESOURCE_TYPES):
                    yield from _walk(one, nested, at)


def subject_of(resource: dict[str, Any]) -> str | None:
    """Tell which patient a resource is about, by the element R4's patient compartment names for its type.

    Returns:
        The reference as the resource states it: relative, absolute, `urn:`, contained or conditional. For a Patient
        with an id, `Patient/id`. None when the type is about no single patient, when the element is absent or
        identifies logically only, or when it points at something else (a Group, a Device, a Location).

    *Source*: http://hl7.org/fhir/R4/compartmentdefinition-patient.html.
    """
    kind = resource.get("resourceType")
    if kind == "Patient":
        return f"Patient/{resource['id']}" if isinstance(resource.get("id"), str) else None
    subject = resource.get(PATIENT_ELEMENTS.get(kind, "")) if isinstance(kind, str) else None
    text = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(text, str) or parse(text).type not in ("", "Patient"):
        return None
    return text


def replaced_by(patient: Mapping[str, Any]) -> str:
    """The reference of a Patient's `link` of type `replaced-by`; empty when the Patient was not replaced.

    A link that names its target by an identifier alone gives that it was replaced, with text that says so.

    *Source*: http://hl7.org/fhir/R4/valueset-link-type.html: the patient that holds the link must no longer be used.
    """
    for link in patient.get("link", ()):
        if link.get("type") == "replaced-by":
            return str(link["other"].get("reference") or "another Patient")
    return ""
