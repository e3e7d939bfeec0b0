from __future__ import annotations

import pytest

from fhirtwin.rules.findings import SUMMARY_LENGTH
from fhirtwin.rules.tables.allergies import ROWS
from fhirtwin.terms import drugs
from fhirtwin.twin.mappers.allergy_intolerance import CRITICAL, MILD, SEVERE
from tests.rules.building import allergic, found, rules


@pytest.mark.parametrize(
    ("ordered", "recorded", "expected"),
    [
        ("amoxicillin", allergic("amoxicillin"), ("allergy.direct", "critical")),
        ("amoxicillin", allergic("amoxicillin", CRITICAL), ("allergy.direct", "critical")),
        ("amoxicillin", allergic("amoxicillin", MILD), ("allergy.direct", "warning")),
        ("amoxicillin", allergic("amoxicillin", name="intolerance"), ("allergy.direct", "warning")),
        ("amoxicillin", allergic("penicillins"), ("allergy.direct", "critical")),
        ("amoxicillin / clavulanate", allergic("penicillins"), ("allergy.direct", "critical")),
        ("sulfamethoxazole / trimethoprim", allergic("trimethoprim"), ("allergy.direct", "critical")),
        ("amoxicillin", allergic("amoxicillin", CRITICAL, "intolerance"), ("allergy.direct", "critical")),
        ("amoxicillin", allergic("amoxicillin", f"{MILD}; {SEVERE}"), ("allergy.direct", "critical")),
        ("ampicillin", allergic("amoxicillin"), ("allergy.penicillin-penicillin", "critical")),
        ("amoxicillin", allergic("penicillin v"), ("allergy.penicillin-penicillin", "critical")),
        ("amoxicillin", allergic("penicillin v", MILD), ("allergy.penicillin-penicillin", "warning")),
        ("amoxicillin", allergic("cephalexin", SEVERE), ("allergy.cephalosporin-amoxicillin", "critical")),
        ("ampicillin", allergic("amoxicillin", CRITICAL), ("allergy.penicillin-penicillin", "critical")),
        ("amoxicillin", allergic("cephalexin"), ("allergy.cephalosporin-amoxicillin", "warning")),
        ("cephalexin", allergic("amoxicillin"), ("allergy.aminopenicillin-side-chain", "warning")),
        ("cephalexin", allergic("amoxicillin", CRITICAL), ("allergy.aminopenicillin-side-chain", "warning")),
        ("cefadroxil", allergic("penicillins"), ("allergy.aminopenicillin-side-chain", "warning")),
        ("cefoxitin", allergic("penicillin g"), ("allergy.penicillin-g-side-chain", "warning")),
        ("sulfamethoxazole / trimethoprim", allergic("sulfadiazine"), ("allergy.sulfonamide-antibiotic", "critical")),
        ("sulfamethoxazole / trimethoprim", allergic("sulfonamide-antibiotics"), ("allergy.direct", "critical")),
        ("celecoxib", allergic("sulfonamide-antibiotics"), ("allergy.sulfonamide-celecoxib", "warning")),
        ("hydrochlorothiazide", allergic("sulfamethoxazole"), ("allergy.sulfonamide-hydrochlorothiazide", "warning")),
        ("naproxen", allergic("aspirin"), ("allergy.nsaid-nsaid", "warning")),
        ("naproxen", allergic("nsaids"), ("allergy.direct", "critical")),
        ("ramipril", allergic("lisinopril", CRITICAL), ("allergy.ace-inhibitor-class", "critical")),
        ("sacubitril", allergic("lisinopril"), ("allergy.angioedema-sacubitril", "warning")),
    ],
)
def test_what_speaks_against_an_order(ordered: str, recorded: object, expected: tuple[str, str]) -> None:
    assert rules(ordered, facts=(recorded,)) == [expected]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ordered", "recorded"),
    [
        ("cefazolin", "amoxicillin"),
        ("ceftriaxone", "penicillins"),
        ("cefuroxime", "penicillin g"),
        ("furosemide", "sulfamethoxazole"),
        ("acetaminophen", "nsaids"),
        ("losartan", "lisinopril"),
        ("metformin", "penicillins"),
    ],
)
def test_what_no_source_speaks_against_is_silent(ordered: str, recorded: str) -> None:
    assert rules(ordered, facts=(allergic(recorded),)) == []


def test_order_is_taken_away_with_a_direct_allergy_recommended() -> None:
    (finding,) = found("amoxicillin", facts=(allergic("penicillins"),))
    assert [r.recommended for r in finding.remedies] == [True]
    assert "penicillins" in finding.summary


def test_same_allergy_recorded_many_times_is_one_finding_with_all_that_it_rests_on() -> None:
    recorded = tuple(allergic(name) for name in ("penicillins", "penicillin g", "penicillin v", "amoxicillin"))
    (finding,) = found("amoxicillin / clavulanate", facts=recorded)
    assert finding.summary == "Amoxicillin: an allergy to penicillins, amoxicillin is recorded"
    assert finding.remedies[0].label == "Remove the order of amoxicillin / clavulanate"


def test_serious_allergy_across_classes_is_told_beside_a_mild_direct_one() -> None:
    recorded = (allergic("amoxicillin", MILD), allergic("cephalexin", CRITICAL))
    assert rules("amoxicillin", facts=recorded) == [
        ("allergy.cephalosporin-amoxicillin", "critical"),
        ("allergy.direct", "warning"),
    ]


def test_other_ingredients_of_a_combination_are_told_too() -> None:
    recorded = (allergic("lisinopril"), allergic("sulfamethoxazole"))
    assert [rule for rule, _ in rules("lisinopril / hydrochlorothiazide", facts=recorded)] == [
        "allergy.direct",
        "allergy.sulfonamide-hydrochlorothiazide",
    ]


def test_every_row_is_whole_and_every_headline_fits() -> None:
    for row in ROWS:
        assert row.sources
        assert row.medicines <= set(drugs.INGREDIENTS)
        for allergen in row.allergens:
            assert allergen in drugs.GROUPS or allergen in drugs.INGREDIENTS
            shown = drugs.GROUPS[allergen].title if allergen in drugs.GROUPS else drugs.name_of(allergen)
            longest = max(map(drugs.name_of, row.medicines), key=len)
            assert len(f"{longest}: intolerance to {shown} is recorded, cross-reaction possible") <= SUMMARY_LENGTH
