"""Annotations of guidelines and labels as ClinPGx makes them: JSON a line, and the files of PharmCAT's releases.

One annotation is `{guideline: {...}, recommendations: [...], citations, version}`; PharmCAT's
`prescribing_guidance.json` has them under `guidelines`. Texts are HTML and become plain.

*Source*: https://github.com/PharmGKB/PharmCAT (`src/main/resources/org/pharmgkb/pharmcat/reporter`), 2.12 and 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fhirtwin.pgx.knowledge import licences, plain
from fhirtwin.pgx.knowledge.entries import Entry

License = Callable[[str], str]


def is_one(value: Any) -> bool:
    """Whether this is one annotation."""
    return isinstance(value, dict) and "guideline" in value and "recommendations" in value


def read(value: Any, version: str, licence: License) -> Iterator[Entry]:
    """Read the entries of one annotation.

    Args:
        value: as parsed.
        version: of the file, where the annotation has none.
        licence: gives the licence, from that which is known of the source.
    """
    guideline = _object(value["guideline"], "guideline")
    shown = licence(licences.CC_BY_SA)
    source = plain.of(guideline.get("source"), empty=False)
    genes = tuple(plain.of(gene.get("symbol"), empty=False) for gene in _objects(guideline, "relatedGenes"))
    url = plain.address(guideline.get("url") or value.get("url"))
    number = plain.of(_text(guideline.get("version")))
    told = "; ".join(
        one for one in (f"version {number}" * bool(number), plain.of(value.get("version")) or version) if one
    )
    drugs = _names(guideline)
    for row in _objects(value, "recommendations"):
        text = plain.of_html(_object(row.get("text"), "text of a recommendation").get("html"))
        if not text:
            raise plain.Wrong("has a recommendation without text")
        strength = row.get("classification")
        for drug in _names(row) or drugs:
            yield Entry(
                drug=drug,
                source=source,
                genes=genes,
                text=text,
                licence=shown,
                url=url,
                version=told,
                population=plain.of(row.get("population")),
                strength=plain.of(_object(strength, "classification").get("term")) if strength is not None else "",
                keys=keys(row.get("lookupKey")),
                implications=tuple(plain.of_html(one) for one in _list(row.get("implications"))),
            )


def keys(value: Any) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Read for which values a row holds: an object, or several of which each holds."""
    every = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(
        tuple(sorted((plain.of(gene, empty=False), _value(told)) for gene, told in _object(one, "lookupKey").items()))
        for one in every
    )


def _value(told: Any) -> str:
    """Read a value, or a genotype: alleles and how often each is there (`{"*1": 1.0, "*3": 1.0}`)."""
    if not isinstance(told, dict):
        return plain.of(told, empty=False)
    alleles: list[str] = []
    for allele, count in told.items():
        if isinstance(count, bool) or not isinstance(count, int | float) or count not in (1, 2):
            raise plain.Wrong("has an allele that is there neither once nor twice")
        alleles += [plain.of(allele, empty=False)] * int(count)
    return "/".join(alleles)


def _names(value: dict[str, Any]) -> tuple[str, ...]:
    found = (plain.of(one.get("name"), empty=False).casefold() for one in _objects(value, "relatedChemicals"))
    return tuple(dict.fromkeys(found))


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise plain.Wrong(f"has a {what} that is not an object")
    return value


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise plain.Wrong("has something else where a list belongs")
    return value


def _objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [_object(one, name) for one in _list(value.get(name))]
