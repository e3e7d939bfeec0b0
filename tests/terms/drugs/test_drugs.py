from __future__ import annotations

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirtwin.terms import drugs
from fhirtwin.terms.concepts.medicines import SETS
from fhirtwin.terms.concepts.model import Code
from fhirtwin.terms.drugs import ingredients, naming, reading
from fhirtwin.terms.drugs.atc import ATC as ATC_CODES
from fhirtwin.terms.drugs.atc import COMBINED
from fhirtwin.terms.systems import ATC, RXNORM, SNOMED

CODES = ingredients.CODES


def names(*codings: tuple[Code, str]) -> set[str]:
    return {drugs.name_of(code) for code in drugs.read(codings).ingredients}


def rx(code: str, display: str = "") -> tuple[Code, str]:
    return Code(RXNORM, code), display


@pytest.mark.parametrize(
    ("coding", "expected"),
    [
        (rx("6809"), {"metformin"}),
        (rx("42351"), {"lithium"}),
        (rx("266856"), {"valproate"}),
        (rx("214618"), {"hydrochlorothiazide", "lisinopril"}),
        (rx("10831"), {"sulfamethoxazole", "trimethoprim"}),
        (rx("597980"), {"amlodipine", "atorvastatin"}),
        (rx("314076"), {"lisinopril"}),
        ((Code(ATC, "N06AB04"), ""), {"citalopram"}),
        ((Code(ATC, "N06AB"), ""), set()),
        ((Code(ATC, "C10BA02"), ""), set()),
        ((Code(ATC, "N02AJ06"), ""), {"acetaminophen", "codeine"}),
        ((Code(ATC, "N02AJ13"), ""), {"acetaminophen", "tramadol"}),
        ((Code(ATC, "N02AJ09"), ""), set()),
        ((Code(SNOMED, "6809"), "metformin 500 MG Oral Tablet"), set()),
        (rx("99999999"), set()),
    ],
)
def test_code_leads_to_its_ingredients_or_to_nothing(coding: tuple[Code, str], expected: set[str]) -> None:
    assert names(coding) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("metoprolol tartrate 25 MG Oral Tablet", {"metoprolol"}),
        ("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]", {"metoprolol"}),
        ("Acetaminophen 325 MG / Oxycodone Hydrochloride 5 MG Oral Tablet", {"acetaminophen", "oxycodone"}),
        ("10 ML Furosemide 10 MG/ML Injection", {"furosemide"}),
        ("Abuse-Deterrent 12 HR Oxycodone Hydrochloride 15 MG Extended Release Oral Tablet", {"oxycodone"}),
        ("Hydrochlorothiazide 25 MG", {"hydrochlorothiazide"}),
        ("clonidine 0.1 MG/HR Transdermal System", set()),  # RxNorm calls a weekly patch `168 HR clonidine ...`
        ("Simvistatin 10 MG", set()),
        ("warfarin", set()),
        ("warfarin 5 mg tablet", set()),
        ("not warfarin 5 MG Oral Tablet", set()),
        ("warfarin 5 MG Oral Tablet or nothing", set()),
        ("warfarin 5 MG / unobtainium 3 MG Oral Tablet", set()),
        ("Ciprofloxacin 3 MG/ML Ophthalmic Solution", set()),
        ("triamcinolone acetonide 1 MG/ML Topical Cream", set()),
        ("{21 (ethinyl estradiol 0.03 MG Oral Tablet) } Pack", set()),
        ("warfarin 5 MG Oral Tablet" * 40, set()),
    ],
)
def test_normalised_name_is_read_whole_or_not_at_all(name: str, expected: set[str]) -> None:
    found = names(rx("99999999", name))
    assert found == expected or (name.startswith("clonidine") and found == {"clonidine"})


def test_name_beside_a_code_that_is_known_is_not_looked_at() -> None:
    assert names(rx("6809", "warfarin 5 MG Oral Tablet")) == {"metformin"}
    assert names(rx("6809"), rx("99999999", "warfarin 5 MG Oral Tablet")) == {"metformin"}


def test_what_was_read_from_a_name_says_so() -> None:
    assert drugs.read([rx("99999999", "warfarin 5 MG Oral Tablet")]).note == drugs.FROM_DISPLAY
    assert drugs.read([rx("11289", "warfarin 5 MG Oral Tablet")]).note == ""


def test_codings_that_mean_different_medicines_are_a_conflict() -> None:
    found = drugs.read([rx("6809"), rx("11289")])
    assert found.conflict
    assert found.ingredients == ()


def test_codings_of_the_same_medicine_agree() -> None:
    assert names(rx("2556"), (Code(ATC, "N06AB04"), "")) == {"citalopram"}


@given(st.text(max_size=600))
def test_no_display_makes_reading_fail(text: str) -> None:
    assert isinstance(naming.ingredients(text), tuple)


@given(st.lists(st.sampled_from(["warfarin", " ", "5", " MG", " / ", "Oral Tablet", "[", "]", "sodium "]), max_size=60))
def test_pieces_of_names_make_no_name_of_an_unknown_ingredient(pieces: list[str]) -> None:
    assert set(naming.ingredients("".join(pieces))) <= {CODES["warfarin"]}


def test_tables_are_well_formed() -> None:
    for file in ("ingredients.tsv", "combinations.tsv"):
        lines = resources.files(drugs).joinpath(file).read_text().splitlines()
        assert lines[0] == "code\tname\tsource"
        for line in lines[1:]:
            code, name, source = line.split("\t")
            assert re.fullmatch(r"\d{2,8}", code)
            assert name == " ".join(name.lower().split())
            assert source in ingredients.SOURCES
            assert (" / " in name) == (file == "combinations.tsv")
    assert set(ingredients.combinations()).isdisjoint(drugs.INGREDIENTS)
    assert set(ATC_CODES.values()) | {one for both in COMBINED.values() for one in both} <= set(drugs.INGREDIENTS)
    assert set(ingredients.SAME.values()) <= set(drugs.INGREDIENTS)


def test_every_clinical_drug_of_the_concept_tables_is_read() -> None:
    rows = [code for known in SETS if known.system == RXNORM for code in known.rows]
    assert [code for code in rows if not reading.by_code(Code(RXNORM, code))] == []


def test_groups_name_their_source_and_hold_known_ingredients() -> None:
    for group in drugs.GROUPS.values():
        assert group.source
        assert group.members <= set(drugs.INGREDIENTS)
    assert drugs.groups_of(CODES["fluoxetine"]) == ("ssris", "cyp2d6-strong-inhibitors")
    assert drugs.members("maois") == {CODES["phenelzine"], CODES["tranylcypromine"]}
