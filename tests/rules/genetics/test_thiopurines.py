"""Headlines of thiopurines: doses by disease, in few words, and by the newest row."""

from __future__ import annotations

import pytest

from fhirtwin.rules.findings import Act
from tests.rules.genetics.building import one, result


def test_thiopurines_say_first_what_to_do_for_which_disease_and_can_be_taken_away() -> None:
    poor = result("TPMT", "Poor Metabolizer", "gene-phenotype")
    normal = result("NUDT15", "Normal Metabolizer", "gene-phenotype")
    for facts in ((poor,), (poor, normal)):
        finding = one("azathioprine", facts=facts)
        assert "except for cancer, consider a" in finding.summary
        assert len(finding.summary) < 140
        assert any("three days a week (for cancer)" in line for line in finding.detail)
        assert [(r.act, r.recommended) for r in finding.remedies] == [(Act.REMOVE, False)]
    leukaemia = one("mercaptopurine", facts=(poor,))
    assert "for cancer, start with a tenth, three days a week; except for cancer, consider a non-t" in leukaemia.summary
    assert one("azathioprine", facts=(result("TPMT", "Intermediate Metabolizer", "gene-phenotype"),)).remedies == ()


@pytest.mark.parametrize(
    ("drug", "words"),
    [
        ("azathioprine", "except for cancer, consider a non-thiopurine; for cancer, start with a tenth"),
        ("mercaptopurine", "for cancer, start with 10 mg/m2/day; not cancer: consider a non-thiopurine"),
    ],
)
def test_long_headline_of_two_genes_keeps_the_dose_for_cancer_in_shorter_words(drug: str, words: str) -> None:
    finding = one(drug, facts=(result("NUDT15", "*3/*3"), result("TPMT", "*1/*3A")))
    assert finding.summary == f"{drug.capitalize()}, NUDT15 poor, TPMT intermediate (CPIC, strong): {words}"


@pytest.mark.parametrize("drug", ["azathioprine", "mercaptopurine", "thioguanine"])
def test_row_that_the_guideline_replaced_does_not_make_the_headline(drug: str) -> None:
    finding = one(drug, facts=(result("NUDT15", "*1/*3"), result("TPMT", "*1/*3A")))
    assert "lower the starting dose to 20-50% of normal (changed 2024)" in finding.summary
    assert "30-80%" not in finding.summary
    (row,) = [line for line in finding.detail if line.startswith("For everybody")]
    assert "Lower the starting dose to 20-50% of normal, as CPIC says since 2024-03-20." in row
    assert "The row here is older and replaced" in row
    other = one(drug, facts=(result("NUDT15", "*1/*1"), result("TPMT", "*1/*3A")))
    assert "changed 2024" not in other.summary
