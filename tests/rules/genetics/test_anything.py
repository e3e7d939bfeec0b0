"""Whatever is known of genes and whatever is ordered: findings, never an error, and cards that are legal."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fhirtwin.api.cds.answers import response_rules
from fhirtwin.pgx import guideline, hgnc, phenoconversion
from fhirtwin.report.gene_cards import genome_card
from fhirtwin.report.order_cards import finding_cards
from fhirtwin.rules.registry import judge
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.twin.state import Fact
from tests.rules.building import WHO, situation, taken
from tests.rules.genetics.building import result

VALUES = {
    "diplotype": ("*1/*1", "*2/*2", "*1/*17 | *2/*4", "*1", "*99/*1", "Reference/Reference", "*57:01/*58:01", "x"),
    "haplotype": ("*2", "*57:01", "", "no such"),
    "allele-status": ("*57:01 positive", "*15:02 negative", "perhaps"),
    "gene-phenotype": ("Poor Metabolizer", "1.25", "Deficient", "≥3.0", "rather fast"),
    "variant": ("chr10:94781859 G>A 0/1", "nonsense"),
    "gene-not-called": ("no coverage", ""),
}
NAMES = sorted(
    {*guideline.drugs(), *(drug for drug, _ in phenoconversion.inhibitors()), "warfarin", "valproate"} & set(CODES)
)


@st.composite
def genes(draw: st.DrawFn) -> Fact:
    name = draw(st.sampled_from(sorted(VALUES)))
    gene = draw(st.sampled_from(sorted(hgnc.IDS)))
    return result(gene, draw(st.sampled_from(VALUES[name])), name, draw(st.sampled_from(("a", "b"))))


@settings(max_examples=150, deadline=None)
@given(
    facts=st.lists(genes(), max_size=8),
    ordered=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5),
    beside=st.lists(st.sampled_from(NAMES), max_size=3, unique=True),
)
def test_no_genes_and_no_orders_break_anything(facts: list[Fact], ordered: list[str], beside: list[str]) -> None:
    medicines = tuple(taken(name, f"m-{number}") for number, name in enumerate(beside))
    stage = situation(*ordered, facts=(*facts, *medicines))
    cards = finding_cards(judge(stage), stage, WHO)
    line = genome_card(stage.state, WHO)
    assert list(response_rules.broken({"cards": [*cards, *([line] if line else [])]})) == []
    assert len({card["uuid"] for card in cards}) == len(cards)
