"""Which products a guideline speaks of: by route, and by each ingredient."""

from __future__ import annotations

from dataclasses import replace

from tests.rules.building import order
from tests.rules.genetics.building import result, told


def test_eye_drops_are_not_what_a_guideline_speaks_of() -> None:
    deficient = result("G6PD", "Deficient with CNSHA", "gene-phenotype")
    swallowed = order("chloramphenicol")
    assert told(swallowed, facts=(deficient,)) != ()
    assert told(replace(swallowed, route="54485002"), facts=(deficient,)) == ()


def test_drug_of_two_ingredients_is_known_by_both() -> None:
    deficient = result("G6PD", "Deficient with CNSHA", "gene-phenotype")
    found = told(order("sulfamethoxazole / trimethoprim"), facts=(deficient,))
    assert [f.rule for f in found] == ["genes.sulfamethoxazole-trimethoprim"]
    assert told("trimethoprim", facts=(deficient,)) == ()
