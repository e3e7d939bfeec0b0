from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin.engine import adding
from fhirtwin.engine.adding import Adder
from fhirtwin.errors import Conflict, Incorrect
from fhirtwin.studies import study as studies
from fhirtwin.studies.round import Round
from tests.studies.builders import Parties, plan


@pytest.fixture(scope="module")
def parties() -> Parties:
    return Parties(plan())


@pytest.fixture(scope="module")
def sealed(parties: Parties) -> list[bytes]:
    return [parties.seal(place, 1000 + place) for place in range(4)]


def test_the_adder_holds_no_key_at_all(parties: Parties) -> None:
    ring = Adder(parties.study, parties.first)._ring
    assert not ring.holds_secret_key
    assert ring._pyfhel.is_public_key_empty()


def test_a_site_counts_once(parties: Parties, sealed: list[bytes]) -> None:
    adder = Adder(parties.study, parties.first)
    assert adder.add(sealed[2]) == "east"
    for again in (sealed[2], parties.seal(2, 77)):
        with pytest.raises(Incorrect, match="east was added already"):
            adder.add(again)


def test_fewer_than_the_minimum_make_no_total(parties: Parties, sealed: list[bytes]) -> None:
    with pytest.raises(Incorrect, match="at least 3"):
        parties.add(*sealed[:2])


def test_what_another_study_round_or_stranger_sent_is_not_added(parties: Parties, sealed: list[bytes]) -> None:
    adder, other = Adder(parties.study, parties.first), Parties(plan())
    with pytest.raises(Incorrect, match="another study or another round"):
        adder.add(other.seal(0, 5))
    with pytest.raises(Incorrect, match="another study or another round"):
        adder.add(parties.seal(0, 5, current=Round(parties.study.digest, 2)))
    as_another_site = bytearray(sealed[0])
    as_another_site[37] = 1
    with pytest.raises(Incorrect, match="not signed by the site south"):
        adder.add(bytes(as_another_site))
    no_site = bytearray(sealed[0])
    no_site[36] = 9
    with pytest.raises(Incorrect, match="no site of the study"):
        adder.add(bytes(no_site))


def test_wrong_lengths_and_damage_are_refused_before_anything_is_parsed(
    parties: Parties, sealed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    adder, one = Adder(parties.study, parties.first), sealed[0]
    monkeypatch.setattr(adder._ring, "load", lambda *_: pytest.fail("parsed"))
    for wrong in (b"", one[:-1], one + b"\0", one[:100], b"X" + one[1:]):
        with pytest.raises(Incorrect):
            adder.add(wrong)
    for place in range(0, len(one), 1501):
        damaged = bytearray(one)
        damaged[place] ^= 0x40
        with pytest.raises(Incorrect):
            adder.add(bytes(damaged))


def test_a_total_is_as_it_was_after_a_refusal(parties: Parties, sealed: list[bytes]) -> None:
    adder = Adder(parties.study, parties.first)
    for one in sealed[:3]:
        adder.add(one)
    with pytest.raises(Incorrect):
        adder.add(sealed[0])
    assert parties.open(adder.total()) == (3, 3003)


def test_one_total_is_made_of_a_round(parties: Parties, sealed: list[bytes], tmp_path: Path) -> None:
    study = tmp_path / "study.json"
    study.write_bytes(studies.write(parties.study))
    files = [tmp_path / str(place) for place in range(4)]
    for file, data in zip(files, sealed, strict=True):
        file.write_bytes(data)
    assert adding.add_files(study, None, files, tmp_path / "total") == ["north", "south", "east", "west"]
    adding.add_files(study, None, files[::-1], tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "total").read_bytes()
    with pytest.raises(Conflict, match="Another total"):
        adding.add_files(study, None, files[:3], tmp_path / "difference")
    assert not (tmp_path / "difference").exists()
    files[0].write_bytes(sealed[1])
    with pytest.raises(Incorrect, match=str(files[1])):
        adding.add_files(study, None, files, tmp_path / "other")
