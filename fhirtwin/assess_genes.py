"""Tables of the genes on the sealed road: calls → one-hot → sealed → engine → opened → what the plain tables would say.

Plain lookup is the default everywhere and takes microseconds; `docs/pgx/sealed.md` says when this one is worth it. The
answers are the same because everything but looking up is the same code. Golden cases lie in all the room of a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from fhirtwin.errors import EngineAnswerWrong, Fault
from fhirtwin.pgx import guideline, phenotype, recommendations, warfarin
from fhirtwin.pgx.circuits import dosing, responding, tables
from fhirtwin.pgx.circuits.book import REFUSED, Key
from fhirtwin.pgx.circuits.golden import Question
from fhirtwin.pgx.circuits.shelf import Shelf, Wanted
from fhirtwin.pgx.guideline import Recommendation
from fhirtwin.pgx.recommendations import Alleles, Answer, Find
from fhirtwin.pgx.response.evidence import Baseline
from fhirtwin.pgx.results import GenePhenotype, Known
from fhirtwin.pgx.warfarin import Dose, Person
from fhirtwin.vault import Send, Vault, answered

Written = TypeVar("Written")


class SealedGenes:
    """Looks genes up without the engine seeing them. Threads may share it.

    Every question takes the same number of ciphertexts of the same size, each under a key of its own, whatever is
    asked and of whom.

    Each method raises `EngineUnavailable` when the engine did not answer in time or does not hold the same tables;
    `EngineAnswerRefused` when an answer failed a check or is no code of a table, and then nothing is told, not even in
    part; `Unprocessable` when more fits equally well than one question has room for.

    Args:
        send: the way to an engine that has the tables.
        gate: within which the engine is asked; it keeps one that answered wrongly from being asked.
    """

    def __init__(self, send: Send, gate: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        self._gate = gate
        self._phenotypes = _Sealed(tables.phenotypes(), send)
        self._advice = _Sealed(tables.advice(), send)

    def phenotypes(self, calls: Iterable[Known]) -> dict[str, GenePhenotype]:
        """Tell what each call means, as `phenotype.of_call` does; what is not called is not looked up.

        Args:
            calls: at most one for each gene, of one person.
        """
        known: dict[str, Known] = {}
        for call in calls:
            if known.setdefault(call.gene, call) is not call:
                raise Fault(f"There are two calls of {call.gene}; a gene of a person has one.")
        asked = {gene: phenotype.asked(call) for gene, call in known.items()}
        with self._gate():
            told, _ = self._phenotypes.look_up({gene: [_pair(rule) for rule in rules] for gene, rules in asked.items()})
            rules = {
                rule: _agreeing(rule, told[gene, _pair(rule)])
                for gene, of_gene in asked.items()
                for rule in of_gene
                if (gene, _pair(rule)) in told
            }
        return {gene: phenotype.of_call(call, rules) for gene, call in known.items()}

    def advise(
        self, drugs: Sequence[str], phenotypes: Mapping[str, GenePhenotype], alleles: Alleles | None = None
    ) -> tuple[Answer, ...]:
        """Find all rows for each drug, as `recommendations.advise` does."""
        keys = (key for drug in drugs for key in recommendations.asked(drug, phenotypes, alleles))
        find = self.finder(keys)
        return tuple(recommendations.advise(drug, phenotypes, alleles, find=find) for drug in drugs)

    def finder(self, keys: Iterable[guideline.Key]) -> Find:
        """Look keys up in one question, and give what finds their rows; it raises `Fault` at any other key."""
        asked = frozenset(keys)
        wanted: dict[str, list[Key]] = {}
        for key in sorted(asked):
            wanted.setdefault(_book(key), []).append(_values(key))
        with self._gate():
            rows, _ = self._advice.look_up(wanted)

        def find(drug: str, key: guideline.Key) -> Iterable[Recommendation]:
            if key not in asked:
                raise Fault("A row of a guideline is wanted that was not asked for with the others.")
            written = rows.get((_book(key), _values(key)), ())
            return tuple(replace(row, key=key) for row in written if row.drug.name == drug)

        return find

    def warfarin(self, person: Person) -> Dose:
        """Estimate the weekly dose as `warfarin.estimate` does, within 0.01 mg, and without what each term adds."""
        with self._gate():
            _, sums = self._advice.look_up({}, {dosing.NAME: dosing.values(person)})
        of_equations = {name: float(sums[f"{dosing.NAME}:{name}"]) for name in dosing.EQUATIONS}
        return warfarin.dose(dosing.total(person, of_equations), warfarin.genes_known(person))

    def response(self, setting: str, outcome: str, step: int = 1, baseline: Baseline | None = None) -> dict[str, float]:
        """Tell the expected share of every drug of which there is evidence, as `response.compare` does, within 0.0001.

        Raises:
            Unprocessable: nothing is known of such a person, or the share on placebo is not from 1 to 99 percent.
        """
        given = responding.values(setting, outcome, step, baseline)
        with self._gate():
            _, sums = self._advice.look_up({}, {responding.name(setting, outcome): given})
        return responding.shares(setting, outcome, {row: float(one) for row, one in sums.items()})


class _Sealed(Generic[Written]):
    """One shelf on the sealed road."""

    def __init__(self, shelf: Shelf[Written], send: Send) -> None:
        self._shelf, self._send = shelf, send
        self._vault = Vault(shelf.panel, mode="sparse")

    def look_up(
        self, wanted: Wanted, beside: Mapping[str, NDArray[np.float64]] | None = None
    ) -> tuple[dict[tuple[str, Key], Written], dict[str, Decimal]]:
        """Look keys up, those that are in a book; ask as many rounds as always, with golden cases in all their room.

        Returns:
            What is written, by book and key, and the sums of the models beside the books, by row.
        """
        return Question(self._shelf, self._shelf.kept(wanted), beside or {}).asked(self._sums)

    def _sums(self, values: NDArray[np.float64]) -> Mapping[str, Decimal]:
        return answered(self._vault, values, self._send).values


def _pair(rule: tuple[str, str, str]) -> Key:
    return tables.pair(*rule[1:])


def _agreeing(rule: tuple[str, str, str], told: tables.Told) -> tuple[str, str]:
    """Take an answer, when its activity score is that of the pair that was looked up."""
    gene, *functions = rule
    word, score, date = told
    if score != phenotype.score(gene, [one for one in functions if one]):
        raise EngineAnswerWrong(REFUSED)
    return word, date


def _book(key: guideline.Key) -> str:
    return tables.book_of(gene for gene, _ in key)


def _values(key: guideline.Key) -> Key:
    return tuple(value for _, value in key)
