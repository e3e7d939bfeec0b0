"""Plans are worked out once for each order of members, and nobody fills the memory with orders."""

from __future__ import annotations

import itertools

from fhirtwin.fhir import shapes
from fhirtwin.fhir.primitives import MAX_ISSUES, Findings
from fhirtwin.fhir.shapes import Shape
from fhirtwin.fhir.tables import members
from fhirtwin.fhir.validator import validate


def right(*_: object) -> Findings:
    return None


def quantity() -> Shape:
    shape = Shape("Quantity")
    for name, member in members("Quantity").items():
        shape.add(name, member, right, right)
    return shape


def test_the_same_members_have_one_plan() -> None:
    shape = quantity()
    first = shape.plan(("value", "unit"))
    assert shape.plans["value", "unit"] is first
    assert (first.places, first.wrong) == (("value", "unit"), ())


def test_an_invariant_that_members_settle_is_not_asked_of_each_object() -> None:
    shape = quantity()
    assert len(shape.plan(("value", "unit")).rules) == 0
    (told,) = [finding for _, finding in shape.plan(("value", "code")).rules]
    assert "(qty-3)" in told[2]


def test_orders_of_members_do_not_gather() -> None:
    shape = quantity()
    for names in itertools.islice(itertools.permutations(members("Quantity")), 1000):
        shape.plan(names)
        assert len(shape.plans) <= shapes._MOST_PLANS


def test_members_that_no_type_has_are_not_kept() -> None:
    shape = quantity()
    (check,) = shape.plan(("colour",)).checks
    assert check("red", {})
    assert shape.plans == {}


def test_an_object_of_very_many_members_is_told_of_as_one_of_many() -> None:
    issues = validate({"resourceType": "Patient", **{f"member{n}": n for n in range(100_000)}})
    assert len(issues) == MAX_ISSUES + 1
    assert issues[-1].code == "incomplete"
