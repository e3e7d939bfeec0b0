"""Rows of CPIC's recommendations: those of this project's layout (JSON a line) and of CPIC's API (an array).

The API's `/v1/recommendation_view` has `drugname`, `guidelinename`, `guidelineurl`; its `/v1/recommendation` has
`drugid`, and `drug` and `guideline` where the caller asked for them; our layout has `drug` as text.

*Source*: https://github.com/cpicpgx/cpic-data/wiki (documentation of database and API) and the view's definition there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhirtwin.pgx.knowledge import clinpgx, licences, plain
from fhirtwin.pgx.knowledge.clinpgx import License
from fhirtwin.pgx.knowledge.entries import Entry


def is_one(value: Any) -> bool:
    """Whether this is a recommendation."""
    return isinstance(value, dict) and "drugrecommendation" in value and "lookupkey" in value


def read(row: Mapping[str, Any], version: str, licence: License, drugs: Mapping[str, str]) -> Iterator[Entry]:
    """Read one row.

    Args:
        row: as parsed.
        version: of the file, where the row has none.
        licence: gives the licence, from that which is known of CPIC.
        drugs: names by CPIC's id of the drug, from the API's `/v1/drug` in the same folder.
    """
    key = clinpgx.keys(row["lookupkey"])
    guideline = row.get("guideline")
    url = row.get("url") or row.get("guidelineurl") or (guideline.get("url") if isinstance(guideline, dict) else None)
    number = row.get("version")
    comments = plain.of_lines(row.get("comments"))
    text = plain.of_lines(row["drugrecommendation"])
    yield Entry(
        drug=_drug(row, drugs),
        source="CPIC",
        genes=tuple(dict.fromkeys(gene for one in key for gene, _ in one)),
        text=_said(text) + (f"\n{comments}" if _meant(comments) else ""),
        licence=licence(licences.CC0),
        url=plain.address(url),
        version="; ".join(one for one in (f"version {number}" if isinstance(number, int) else "", version) if one),
        population=plain.of(row.get("population")),
        strength=plain.of(row.get("classification")),
        keys=key,
        implications=_implications(row.get("implications")),
    )


def drug_names(rows: list[Any]) -> dict[str, str]:
    """Read names by id from rows of the API's `/v1/drug`."""
    return {plain.of(row["drugid"], empty=False): plain.of(row["name"], empty=False) for row in rows}


def is_drug(value: Any) -> bool:
    """Whether this is a row of `/v1/drug`."""
    return isinstance(value, dict) and {"drugid", "name"} <= value.keys() and "drugrecommendation" not in value


def is_pair(value: Any) -> bool:
    """Whether this is a row of `/v1/pair` or `/v1/pair_view`."""
    return isinstance(value, dict) and {"genesymbol", "cpiclevel"} <= value.keys()


def read_pair(row: Mapping[str, Any], version: str, licence: License, drugs: Mapping[str, str]) -> Iterator[Entry]:
    """Read one pair: its level; columns that are not CPIC's own (levels of ClinPGx, the FDA's testing) are left."""
    level = plain.of(row["cpiclevel"])
    if not level:
        return
    provisional = ", provisional" if row.get("provisional") is True else ""
    yield Entry(
        drug=_drug(row, drugs),
        source="CPIC",
        genes=(plain.of(row["genesymbol"], empty=False),),
        text=f"CPIC level {level}{provisional}",
        licence=licence(licences.CC0),
        url=plain.address(row.get("guidelineurl")),
        version=version,
    )


def _drug(row: Mapping[str, Any], drugs: Mapping[str, str]) -> str:
    drug = row.get("drugname") or row.get("drug")
    name = drug.get("name") if isinstance(drug, dict) else drug
    if name is None:
        name = drugs.get(plain.of(row.get("drugid")))
        if name is None:
            raise plain.Wrong("has a drug without a name; put the answer of the API's /v1/drug into the folder")
    return plain.of(name, empty=False).casefold()


def _implications(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise plain.Wrong("has implications that are not an object")
    return tuple(f"{plain.of(gene, empty=False)}: {plain.of_lines(text)}" for gene, text in value.items() if text)


def _said(text: str) -> str:
    if not text:
        raise plain.Wrong("has a recommendation without text")
    return text


def _meant(comments: str) -> bool:
    return comments.casefold() not in ("", "n/a")
