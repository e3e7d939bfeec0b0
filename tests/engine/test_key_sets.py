from __future__ import annotations

from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import ROTATING
from fhirtwin.engine.key_sets import KeySets

RING = Ring(ROTATING)


def keep(sets: KeySets[Ring], tenant: str, *digests: bytes) -> None:
    for digest in digests:
        sets.make_room(tenant)
        sets.keep(tenant, digest, RING)


def test_keys_are_found_by_who_sent_them_alone() -> None:
    sets = KeySets[Ring](2, 4)
    keep(sets, "one", b"a")
    assert sets.find("one", b"a") is RING
    assert sets.find("two", b"a") is None


def test_a_tenant_displaces_its_own_and_of_them_the_one_it_used_least_recently() -> None:
    sets = KeySets[Ring](2, 4)
    keep(sets, "two", b"x", b"y")
    keep(sets, "one", b"a", b"b")
    sets.find("one", b"a")
    keep(sets, "one", b"c", b"d", b"e")
    assert [sets.find("one", digest) is not None for digest in (b"a", b"b", b"c", b"d", b"e")] == [0, 0, 0, 1, 1]
    assert sets.find("two", b"x") and sets.find("two", b"y")


def test_when_all_places_are_taken_who_has_most_makes_room() -> None:
    sets = KeySets[Ring](2, 3)
    keep(sets, "two", b"x")
    keep(sets, "one", b"a", b"b")
    keep(sets, "three", b"p")
    assert sets.find("one", b"a") is None
    assert sets.find("one", b"b") and sets.find("two", b"x") and sets.find("three", b"p")
    assert len(list(sets)) == 3
