"""What genes say of exposure, and that no shortcut from them to dose or response is taken."""

from __future__ import annotations

import pytest

from fhirtwin.pgx import phenotype
from fhirtwin.pgx.response import evidence, exposure, side_by_side
from fhirtwin.pgx.response.compare import Comparison, compare
from fhirtwin.pgx.results import GenePhenotype, Known, Pair

DRUGS = ("citalopram", "escitalopram", "sertraline", "paroxetine", "clopidogrel", "codeine")


def _genes(**pairs: str) -> dict[str, GenePhenotype]:
    return {gene: phenotype.of_call(Known(gene, (Pair(*pair.split("/")),))) for gene, pair in pairs.items()}


def _percents(drug: str, genes: dict[str, GenePhenotype]) -> dict[str, tuple[float, float, float, bool]]:
    (one,) = compare([drug], phenotypes=genes).ranked
    return {each.effect: (each.expected, each.low, each.high, each.capped) for each in one.side_effects}


def test_side_effects_are_scaled_by_exposure() -> None:
    told = _percents("sertraline", _genes(CYP2C19="*1/*2"))["nausea"]
    assert told[:3] == pytest.approx((26 * 1.38, 26 * 1.26, 26 * 1.50)) and not told[3]


def test_scaling_stops_at_twice_and_says_so() -> None:
    assert _percents("escitalopram", _genes(CYP2C19="*2/*2"))["nausea"] == (30, 30, 30, True)
    (one,) = compare(["escitalopram"], phenotypes=_genes(CYP2C19="*2/*2")).ranked
    assert all("convention, not measured" in each.label and len(each.doi) == 2 for each in one.side_effects)


@pytest.mark.parametrize("pair", ["*1/*1", "*17/*17", "*1/*17"])
def test_without_a_ratio_nothing_is_scaled(pair: str) -> None:
    assert _percents("sertraline", _genes(CYP2C19=pair))["nausea"] == (26, 26, 26, False)
    (one,) = compare(["sertraline"], phenotypes=_genes(CYP2C19=pair)).ranked
    assert not any(each.label for each in one.side_effects)


def test_an_unknown_gene_is_named() -> None:
    assert "not known" in exposure.tell("sertraline", {}).notes[0]
    several = {"CYP2C19": phenotype.of_call(Known("CYP2C19", (Pair("*1", "*1"), Pair("*2", "*2"))))}
    told = exposure.tell("sertraline", several)
    assert told.found is None and "not one phenotype" in told.notes[0]


@pytest.mark.parametrize(
    ("drug", "gene", "pair", "ratio"),
    [
        ("aripiprazole", "CYP2D6", "*4/*4", 1.48),
        ("aripiprazole", "CYP2D6", "*4/*10", 1.48),
        ("risperidone", "CYP2D6", "*4/*10", 1.36),
        ("haloperidol", "CYP2D6", "*4/*5", 1.68),
        ("haloperidol", "CYP2D6", "*4/*10", None),
        ("escitalopram", "CYP2C19", "*2/*2", 2.63),
        ("escitalopram", "CYP2C19", "*1/*2", None),
        ("sertraline", "CYP2C19", "*2/*3", 2.68),
        ("sertraline", "CYP2D6", "*4/*4", None),
    ],
)
def test_ratios_are_those_of_the_papers(drug: str, gene: str, pair: str, ratio: float | None) -> None:
    found = exposure.tell(drug, _genes(**{gene: pair})).found
    assert (found.ratio if found else None) == ratio


def _texts(told: Comparison) -> str:
    found = [word for row in side_by_side.rows(told)[1:] for word in row]
    for one in (*told.ranked, *told.without):
        found += [*one.exposure, *one.no_evidence]
        for estimate in (one.response, one.discontinuation):
            if estimate:
                found += [term.note for term in estimate.terms]
    return " ".join(found).lower()


@pytest.mark.parametrize("cyp2d6", ["*4/*4", "*1/*1", "*1/*2x≥3"])
@pytest.mark.parametrize("cyp2c19", ["*2/*2", "*1/*1", "*17/*17"])
def test_no_shortcut_from_metabolizer_to_dose_or_response(cyp2c19: str, cyp2d6: str) -> None:
    """Poor metabolizers of clopidogrel and codeine lack effect; of citalopram they have more: no rule fits all."""
    plain, told = compare(DRUGS), compare(DRUGS, phenotypes=_genes(CYP2C19=cyp2c19, CYP2D6=cyp2d6))
    assert [one.drug for one in told.without] == ["clopidogrel", "codeine"]
    for before, after in zip(plain.ranked, told.ranked, strict=True):
        assert (before.drug, before.response, before.discontinuation) == (
            after.drug,
            after.response,
            after.discontinuation,
        )
    for word in ("lower", "reduce", "raise", "increase", "dose of", "mg", "double the", "half"):
        assert word not in _texts(told), word


def test_both_ends_of_escitalopram_are_told() -> None:
    for pair in ("*2/*2", "*17/*17"):
        notes = " ".join(exposure.tell("escitalopram", _genes(CYP2C19=pair)).notes)
        assert "3.3 times" in notes and "3.0 times" in notes and "no interval read" in notes


def test_scaled_percents_stay_percents() -> None:
    for drug, rows in evidence.frequencies().items():
        for row in evidence.exposures():
            for each in exposure.side_effects(drug, row):
                assert 0 < each.low <= each.expected <= each.high <= 100
        assert len(rows) <= 2
