"""What of the genes matters to prescribing, as one card when a chart is opened.

There is none when nobody looked at a gene, and none when nothing of what is known warns of any medicine: that is no
news for whoever opens a chart.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Final

from fhirtwin.errors import FhirtwinError
from fhirtwin.pgx import guideline
from fhirtwin.pgx.lookup import PLAIN, Lookup
from fhirtwin.pgx.recommendations import DISCLAIMER
from fhirtwin.report.card import Card
from fhirtwin.report.wording import citation, escape, summary, table
from fhirtwin.rules.findings import SUMMARY_LENGTH
from fhirtwin.rules.genetics import not_called, not_looked_up, person, standing, wording
from fhirtwin.rules.genetics.person import Person
from fhirtwin.twin.state import PatientKey, TwinState

_NAMESPACE: Final = uuid.UUID("b6a1c6b2-7f7a-5c52-9a5e-3a8f0d1c9e44")


def genome_card(state: TwinState, patient: PatientKey, genes: Lookup = PLAIN) -> Card | None:
    """Tell which genes matter, and how many were looked at; None when there is nothing to tell.

    Args:
        state: the twin as of the day.
        patient: whose it is.
        genes: looks phenotypes up; what it raises is passed on.
    """
    whose = person.of(state, genes)
    mattering = list(standing.mattering(whose))
    if not mattering:
        return None
    facts = sorted([f.display, f.name, str(f.value), f.time] for found in whose.facts.values() for f in found)
    date = next(iter(guideline.drugs().values())).date
    return {
        "uuid": str(uuid.uuid5(_NAMESPACE, json.dumps([patient.origin, patient.id, facts]))),
        "summary": summary([_line(whose, mattering)]),
        "indicator": "info",
        "source": {"label": f"CPIC guidelines, rows of {date}", "url": "https://cpicpgx.org/guidelines/"},
        "detail": "\n\n".join(_detail(whose, mattering, date)),
    }


def not_looked_up_card(error: FhirtwinError, patient: PatientKey) -> Card:
    """Say that there are results of genes and nobody could look them up."""
    return {
        "uuid": str(uuid.uuid5(_NAMESPACE, json.dumps([patient.origin, patient.id, "not-looked-up"]))),
        "summary": summary([f"Genes not looked up: {not_looked_up.why(error)}"]),
        "indicator": "warning",
        "source": {"label": not_called.SOURCE.label, "url": not_called.SOURCE.url},
        "detail": (
            f"There are results of genes, and {not_looked_up.why(error)}, so nothing is told of what they mean for "
            "medicines. It does not mean that they do not matter. Open the chart again later; if it stays so, tell "
            "those who run this server."
        ),
    }


def _line(whose: Person, mattering: list[tuple[str, str]]) -> str:
    """Every gene that matters in one line: in words as many as there is room for, then by name, then by number."""
    said = [f"{gene}{'' if words.startswith('*') else ' '}{words}" for gene, words in mattering]
    names = [gene for gene, _ in mattering]
    lines = (_with(said[:at], names[at:]) for at in range(len(said), 0, -1))
    numbered = (_with(said[:at], [f"{len(said) - at} more"]) for at in range(len(said) - 1, 0, -1))
    every = [f"{_known(whose)}: {line}" for line in (*lines, *numbered)]
    return next((line for line in every if len(line) <= SUMMARY_LENGTH), every[-1])


def _with(said: list[str], others: list[str]) -> str:
    return "; ".join([*said, *([f"and {', '.join(dict.fromkeys(others))}"] if others else [])])


def _known(whose: Person) -> str:
    """How many genes are known, of those that there are results of: a result may be that a gene was not called."""
    number, known = len(whose.results), sum(map(whose.knows, whose.results))
    of = f"{known} of {number}" if known != number else f"{number}"
    return f"Pharmacogenomics, {of} gene{'s' if number != 1 else ''} known"


def _detail(whose: Person, mattering: list[tuple[str, str]], date: str) -> Iterator[str]:
    rows = ((gene, words, _alleles(gene, whose), _where(gene, whose)) for gene, words in mattering)
    yield table(("gene", "what it is", "alleles", "from"), rows)
    quiet = [gene for gene in sorted(whose.results) if whose.knows(gene) and gene not in dict(mattering)]
    if quiet:
        known = "; ".join(
            f"{gene} {wording.phenotypes(whose.phenotypes[gene]) or ', '.join(whose.statuses(gene))}" for gene in quiet
        )
        yield f"{escape(f'Known too: {known}.')}"
    for gene in sorted(whose.results):
        yield from map(escape, wording.remarks(gene, whose))
        if not whose.knows(gene):
            yield escape(f"{gene}: {whose.phenotypes[gene].not_called or 'nothing is told from it here'}.")
    yield (
        "Genes alone: what medicines make of them is told when one is ordered. Of a gene that is not named here nobody "
        "knows, and a medicine without a card is not one that was found to be harmless."
    )
    yield escape(f"{DISCLAIMER} Rows are of {date}.")


def _alleles(gene: str, whose: Person) -> str:
    return " or ".join(str(pair) for pair in whose.results[gene].known.diplotypes) or "not told"


def _where(gene: str, whose: Person) -> str:
    return "; ".join(dict.fromkeys(citation(s.reference) for f in whose.facts[gene] for s in f.sources))
