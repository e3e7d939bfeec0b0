from __future__ import annotations

import pytest

from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import ROTATING
from fhirtwin.engine.keyed import KeyedRings
from fhirtwin.errors import Precondition


def rings(each: int, most: int) -> KeyedRings[Ring]:
    return KeyedRings(each, most, lambda _: Ring(ROTATING))


def has(keyed: KeyedRings[Ring], tenant: str, digest: bytes) -> bool:
    return (tenant, digest) in keyed._rings


def test_keys_are_found_by_who_sent_them_alone() -> None:
    keyed = rings(2, 4)
    assert keyed.ring(b"a", b"keys", "one") is keyed.ring(b"a", b"", "one")
    with pytest.raises(Precondition, match="Send the evaluation keys"):
        keyed.ring(b"a", b"", "two")
    assert keyed.ring(b"a", b"keys", "two") is not keyed.ring(b"a", b"", "one")


def test_a_tenant_displaces_its_own_and_of_them_the_one_it_used_least_recently() -> None:
    keyed = rings(2, 4)
    for tenant, digest in (("two", b"x"), ("two", b"y"), ("one", b"a"), ("one", b"b"), ("one", b"a"), ("one", b"c")):
        keyed.ring(digest, b"keys", tenant)
    assert [has(keyed, "one", digest) for digest in (b"a", b"b", b"c")] == [True, False, True]
    assert has(keyed, "two", b"x") and has(keyed, "two", b"y")


def test_when_all_places_are_taken_who_has_most_makes_room() -> None:
    keyed = rings(2, 3)
    for tenant, digest in (("two", b"x"), ("one", b"a"), ("one", b"b"), ("three", b"p")):
        keyed.ring(digest, b"keys", tenant)
    assert [has(keyed, "one", digest) for digest in (b"a", b"b")] == [False, True]
    assert has(keyed, "two", b"x") and has(keyed, "three", b"p")
    assert len(keyed._rings) == 3
