"""Which texts of a folder hold for a person, and how they are shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fhirtwin.pgx import phenotype
from fhirtwin.pgx.knowledge import folder, holding, showing
from fhirtwin.pgx.knowledge.entries import Entry
from fhirtwin.pgx.knowledge.holding import Genes, Held
from fhirtwin.pgx.phenoconversion import Taken
from fhirtwin.pgx.results import Known, Pair

TEXT = Entry("codeine", "DPWG", ("CYP2D6",), "Do this.", "CC BY-SA 4.0 (ClinPGx)", version="version 3")


def known(*calls: Known, alleles: dict[str, dict[str, str]] | None = None) -> Genes:
    return Genes({call.gene: phenotype.of_call(call) for call in calls}, alleles or {}, {c.gene: c for c in calls})


def called(gene: str, first: str, second: str) -> Known:
    return Known(gene, (Pair(first, second),))


def keyed(*keys: dict[str, str]) -> Entry:
    return replace(TEXT, genes=tuple({g: 0 for key in keys for g in key}), keys=tuple(tuple(k.items()) for k in keys))


def holds(entry: Entry, genes: Genes, *taken: str) -> bool:
    acting = holding.effects([entry], genes, [Taken(name) for name in taken], entry.drug)
    return bool(holding.holding([entry], holding.values(genes, acting)))


POOR = known(called("CYP2D6", "*4", "*4"))


@pytest.mark.parametrize(
    ("key", "genes", "expected"),
    [
        ({"CYP2D6": "0.0"}, POOR, True),
        ({"CYP2D6": "poor metabolizer"}, POOR, True),
        ({"CYP2D6": "*4/*4"}, POOR, True),
        ({"CYP2D6": "2.0"}, POOR, False),
        ({"CYP2D6": "No Result"}, POOR, False),
        ({"CYP2D6": "0.0", "CYP2C19": "No Result"}, POOR, True),
        ({"CYP2D6": "0.0", "CYP2C19": "Poor Metabolizer"}, POOR, False),
        (
            {"CYP2D6": "0.0", "CYP2C19": "No Result"},
            known(called("CYP2D6", "*4", "*4"), called("CYP2C19", "*1", "*1")),
            False,
        ),
        ({"CYP2C9": "*3/*1"}, known(called("CYP2C9", "*1", "*3")), True),
        ({"HLA-B": "*57:01 positive"}, known(alleles={"HLA-B": {"*57:01": "positive"}}), True),
        ({"HLA-B": "*57:01 positive"}, known(alleles={"HLA-B": {"*57:01": "negative"}}), False),
        ({"CYP2D6": "0.0"}, known(Known("CYP2D6", not_called="not called, because")), False),
        ({"CYP2D6": "0.25"}, known(Known("CYP2D6", reported=("Intermediate Metabolizer",))), True),
    ],
)
def test_a_text_holds_for_the_values_that_it_names(key: dict[str, str], genes: Genes, *, expected: bool) -> None:
    assert holds(keyed(key), genes) is expected


def test_one_of_several_values_is_enough_and_all_of_one_are_needed() -> None:
    assert holds(keyed({"CYP2D6": "3.0"}, {"CYP2D6": "0.0"}), POOR)
    assert not holds(keyed({"CYP2D6": "3.0"}, {"CYP2D6": "1.0"}), POOR)


def test_a_text_without_values_holds_where_its_gene_is_known() -> None:
    assert holds(TEXT, POOR)
    assert not holds(TEXT, known(called("CYP2C19", "*1", "*1")))
    assert not holds(TEXT, known(Known("CYP2D6", not_called="not called, because")))


def test_other_medicines_change_the_value_and_then_a_genotype_says_nothing() -> None:
    normal = known(called("CYP2D6", "*1", "*1"))
    assert not holds(keyed({"CYP2D6": "0.0"}), normal)
    assert holds(keyed({"CYP2D6": "0.0"}), normal, "paroxetine")
    assert not holds(keyed({"CYP2D6": "2.0"}), normal, "paroxetine")
    assert holds(keyed({"CYP2D6": "*1/*1"}), normal)
    assert not holds(keyed({"CYP2D6": "*1/*1"}), normal, "paroxetine")


def test_those_for_the_persons_values_come_first_and_none_twice() -> None:
    mine = keyed({"CYP2D6": "0.0"})
    found = holding.holding(
        [replace(TEXT, source="FDA"), mine, mine, replace(mine, source="CPIC")], {"CYP2D6": {"0.0"}}
    )  # type: ignore[dict-item]
    assert [(one.entry.source, bool(one.values)) for one in found] == [("CPIC", True), ("DPWG", True), ("FDA", False)]


def test_a_text_is_shown_with_source_version_licence_and_values_shortened() -> None:
    long = Held(replace(TEXT, text="word " * 1000, strength="Strong"), (("CYP2D6", "0.0"),))
    said = showing.paragraph(long)
    assert said.startswith("DPWG (version 3, CC BY-SA 4.0 (ClinPGx)). For CYP2D6 0.0; strength: Strong: word word")
    assert said.endswith("word … (shortened; the whole text is in the folder)")
    assert len(said) < showing.LONGEST + 200
    assert showing.paragraph(Held(TEXT)).endswith("Do this.")


def test_never_too_many_and_how_many_more_there_are() -> None:
    many = [Held(replace(TEXT, text=f"text {number}")) for number in range(showing.MOST + 2)]
    said = list(showing.paragraphs(many))
    assert said[0] == showing.HEADER
    assert len(said) == showing.MOST + 2
    assert said[-1].startswith("2 more texts")
    assert list(showing.paragraphs([])) == []


def test_the_shared_layout_tells_a_poor_metabolizer_what_dpwg_says_of_aripiprazole(shared: Path) -> None:
    texts = folder.load(shared / "data/pgx/clinpgx").of_drug("aripiprazole")
    found = holding.holding(texts, holding.values(POOR, {}))
    assert (found[0].entry.source, found[0].values) == ("DPWG", (("CYP2D6", "0.0"),))
    assert "10 mg/day" in found[0].entry.text
    assert all(one.entry.licence for one in found)
