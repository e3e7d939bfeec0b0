"""All candidates side by side: a List in order of expected response, with a table for people, and what it points at.

*Source*: http://hl7.org/fhir/R4/list.html, http://hl7.org/fhir/R4/narrative.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fhirtwin.pgx.response import side_by_side
from fhirtwin.pgx.response.compare import Candidate
from fhirtwin.report.genomics.implication import About
from fhirtwin.report.genomics.made import Made, made
from fhirtwin.report.treatment_response.assessment import assessment
from fhirtwin.report.treatment_response.findings import Findings
from fhirtwin.report.wording import plain

Json = dict[str, Any]

ORDER: Final = "expected response, the greatest first; what a label contraindicates comes last; genes do not change it"
SIDE_EFFECTS: Final = "Side effects are percentages of people on the drug; those marked as scaled follow a convention."
OF_WOMEN: Final = "Sexual dysfunction was counted in men alone in what was read, so nothing is told of it."
GENES: Final = "guideline and label, by the genes"
NOT_SHOWN: Final = (
    "A medicine that is not named here was not looked at, and one of which nothing is known is not worse."
)


def bundle(found: Findings, about: About, more: tuple[str, ...] = ()) -> Json:
    """Write the List and a RiskAssessment of each candidate of which there is evidence, as a collection.

    Args:
        found: the comparison.
        about: whom and which day.
        more: what else a reader must know.
    """
    candidates = (*found.told.ranked, *found.told.without)
    written = {one.drug: assessment(one, found, about) for one in candidates}
    listed = _list(found, about, written, (*notes(found), *more))
    entries = [one.entry for one in (listed, *written.values()) if one]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def notes(found: Findings) -> Iterator[str]:
    """What must be known of the whole comparison."""
    yield found.told.statement
    nothing = [one.drug for one in found.told.without]
    if nothing:
        yield f"No evidence here of response in {found.told.setting}: {', '.join(nothing)}."
    yield from found.patient.gaps
    yield SIDE_EFFECTS
    if found.patient.sex == "female":
        yield OF_WOMEN
    yield NOT_SHOWN


def _list(found: Findings, about: About, written: Mapping[str, Made | None], texts: tuple[str, ...]) -> Made:
    told = found.told
    title = f"Expected response in {told.setting}, treatment step {told.step}"
    resource = {
        "resourceType": "List",
        "text": {"status": "generated", "div": _narrative(found, title, texts)},
        "status": "current",
        "mode": "snapshot",
        "title": title,
        "code": {"text": "Candidate medicines by expected response"},
        "subject": {"reference": about.subject},
        "date": about.day,
        "orderedBy": {"text": ORDER},
        "note": [{"text": text} for text in texts],
        "entry": [_entry(one, written[one.drug], found.by_genes(one.drug)) for one in (*told.ranked, *told.without)],
    }
    return made(resource, about.subject, about.day, "treatment-response", told.setting, str(told.step), *written)


def _entry(one: Candidate, written: Made | None, by_genes: tuple[str, ...]) -> Json:
    flags = [*(f"{each.strength}: {each.condition}" for each in one.met), *by_genes]
    item = {
        **(written.reference if written else {}),
        "display": one.drug if one.response else f"{one.drug}: no evidence",
    }
    return {**({"flag": {"text": "; ".join(flags)}} if flags else {}), "item": item}


def _narrative(found: Findings, title: str, texts: tuple[str, ...]) -> str:
    head, *rows = side_by_side.rows(found.told)
    said_of_genes = ["; ".join(found.by_genes(one.drug)) for one in (*found.told.ranked, *found.told.without)]
    head, rows = (*head, GENES), [(*row, said) for row, said in zip(rows, said_of_genes, strict=True)]
    cells = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    said = "".join(f"<p>{_text(text)}</p>" for text in texts)
    return (
        f'<div xmlns="http://www.w3.org/1999/xhtml"><p><b>{_text(title)}</b></p>'
        f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>{said}</div>"
    )


def _text(value: str) -> str:
    return escape(plain(value))
