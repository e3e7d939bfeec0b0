"""$find-subject-variants: `GET` or `POST [base]/$find-subject-variants`: stored Variants that lie in ranges.

*Source*: https://hl7.org/fhir/uv/genomics-reporting/STU3/OperationDefinition-find-subject-variants.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from fhirtwin.access.visibility import require_whole_record
from fhirtwin.errors import Incorrect, Issue, TooLarge
from fhirtwin.fhir import codec
from fhirtwin.interactions import genomes, replaced, search_type
from fhirtwin.interactions.context import Answer
from fhirtwin.interactions.operation import Call, Level, Operation, Parameter
from fhirtwin.pgx.span import Span, read
from fhirtwin.terms.systems import FHIRTWIN, LOINC
from fhirtwin.twin import variant_span

MOST_VARIANTS: Final = 5000
"""Most stored Variants of one patient that are looked through."""

NOT_TOLD: Final = (
    "Of a range without a value of `presence` no stored Variant says anything: an absent Variant is no reference call."
)
NOT_PLACED: Final = (
    "{} stored Variants were not compared: they do not say where they lie on a reference sequence, do not count, or "
    "lie on another version of it."
)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A Variant as it is stored, with where it lies."""

    resource: dict[str, Any]
    span: Span | None
    there: bool | None


def find_subject_variants(call: Call) -> Answer:
    """Tell of each range whether a stored Variant lies in it.

    `presence` is true where one that was found meets the range; false where one says of the whole range that there is
    none; else it has the extension data-absent-reason instead of a value, and `outcome` says why.

    Args:
        call: `subject`; `ranges` (zero-based: `NC_000010.11:94761899-94761900`); `includeVariants`;
            `genomicSourceClass` (`germline` or `somatic`; both when absent).

    Raises:
        Incorrect: the subject, a range or the class cannot be read, or too many ranges.
        TooLarge: more than `MOST_VARIANTS` Variants are stored.
        Forbidden: a part of the record is withheld from the caller, or they may not search.
        NotFound, Gone: no such Patient.
        Unprocessable: the Patient was replaced by another.
    """
    require_whole_record(call.caller)
    asked = [(text, _range(text)) for text in genomes.listed(call, "ranges")]
    found = _of_class(tuple(_stored(call, genomes.subject(call))), call.one("genomicSourceClass"))
    told = [(text, *_answer(span, found)) for text, span in asked]
    show = call.one("includeVariants") is True
    parameters = [("variants", "part", _parts(text, there, met if show else ())) for text, there, met in told]
    issues = [Issue("incomplete", NOT_TOLD, severity="warning")] if any(there is None for _, there, _ in told) else []
    if number := sum(not any(_comparable(one, span) for _, span in asked) for one in found):
        issues.append(Issue("incomplete", NOT_PLACED.format(number), severity="warning"))
    return genomes.told(parameters, issues)


def _range(text: str) -> Span:
    found = read(text)
    if found is None:
        raise Incorrect("`ranges` takes zero-based ranges of a RefSeq sequence: NC_000010.11:94761899-94761900.")
    return found


def _stored(call: Call, id_: str) -> Iterator[_Stored]:
    """Every usable Variant of the patient, within one moment of the store."""
    most = str(call.services.settings.max_count)
    page, number = [("patient", id_), ("code", f"{LOINC}|{variant_span.VARIANT}"), ("_count", most)], 0
    with call.services.store.snapshot() as reader:
        replaced.current(reader, call.caller, id_)
        while page:
            found = codec.reread(search_type.within(call.services, call.caller, reader, "Observation", page))
            for entry in found.get("entry", ()):
                number += 1
                if number > MOST_VARIANTS:
                    raise TooLarge(
                        f"More than {MOST_VARIANTS} Variants are stored of this patient; search them by date."
                    )
                if entry["search"]["mode"] == "match" and variant_span.usable(entry["resource"]):
                    yield _read(entry["resource"])
            following = [link["url"] for link in found["link"] if link["relation"] == "next"]
            page = parse_qsl(urlsplit(following[0]).query, keep_blank_values=True) if following else []


def _read(resource: dict[str, Any]) -> _Stored:
    return _Stored(resource, variant_span.span(resource), variant_span.there(resource))


def _of_class(found: Sequence[_Stored], asked: str | None) -> list[_Stored]:
    if asked is None:
        return list(found)
    code = variant_span.CLASSES.get(asked.strip().casefold())
    if code is None:
        raise Incorrect("`genomicSourceClass` is germline or somatic.")
    return [one for one in found if variant_span.source_class(one.resource) == code]


def _answer(asked: Span, found: Sequence[_Stored]) -> tuple[bool | None, list[dict[str, Any]]]:
    meeting = [one for one in found if one.span and one.span.meets(asked)]
    present = [one.resource for one in meeting if one.there]
    if present:
        return True, present
    absent = any(
        one.there is False and one.span and one.span.start <= asked.start and asked.end <= one.span.end
        for one in meeting
    )
    return (False if absent else None), []


def _comparable(one: _Stored, asked: Span) -> bool:
    return one.span is not None and one.there is not None and one.span.comparable(asked)


def _parts(text: str, there: bool | None, variants: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": "rangeItem", "valueString": text},
        genomes.presence_part(there),
        *({"name": "variant", "resource": one} for one in variants),
    ]


OPERATION: Final = Operation(
    name="find-subject-variants",
    definition=f"{FHIRTWIN}/OperationDefinition/find-subject-variants",
    types=frozenset(),
    levels=frozenset({Level.SYSTEM}),
    run=find_subject_variants,
    parameters=(
        Parameter("subject", "string", required=True),
        Parameter("ranges", "string", required=True, many=True),
        Parameter("genomicSourceClass", "string"),
        Parameter("includeVariants", "boolean"),
    ),
)
