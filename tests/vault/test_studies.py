"""What an adder, or anybody on the way, can try; each is refused, and nothing is opened."""

from __future__ import annotations

import numpy as np
import pytest

from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import SUMS
from fhirtwin.errors import Fault, Incorrect, Unprocessable
from fhirtwin.studies import study as studies
from fhirtwin.studies import wire
from fhirtwin.studies.layout import PLACES
from fhirtwin.studies.round import Round
from fhirtwin.studies.wire import Total
from fhirtwin.vault.studies import Coordinator
from tests.studies.builders import Parties, plan
from tests.vault.test_key_recovery import recovered

ROWS = (100, 2000, 30_000, 99_999)


@pytest.fixture(scope="module")
def parties() -> Parties:
    return Parties(plan())


@pytest.fixture(scope="module")
def sealed(parties: Parties) -> list[bytes]:
    return [parties.seal(place, rows) for place, rows in enumerate(ROWS)]


def public_ring(parties: Parties) -> Ring:
    """What anybody has."""
    ring = Ring(SUMS)
    ring.load_public_key(parties.study.public_key)
    return ring


def summed(parties: Parties, *parts: bytes) -> bytes:
    """A sum of ciphertexts that no adder of ours would make."""
    ring = public_ring(parties)
    total = ring.load(parts[0], SUMS.input_scale)
    for part in parts[1:]:
        ring.add(total, ring.load(part, SUMS.input_scale))
    return ring.save(total)


def test_a_total_is_exact_for_any_sites_that_are_enough(parties: Parties, sealed: list[bytes]) -> None:
    assert parties.open(parties.add(*sealed)) == (4, sum(ROWS))
    assert parties.open(parties.add(sealed[3], sealed[0], sealed[2])) == (3, ROWS[0] + ROWS[2] + ROWS[3])


@pytest.mark.production_set
def test_a_total_of_a_thousand_sites_at_their_bounds_is_exact() -> None:
    parties = Parties(plan(sites=tuple(f"site-{n}" for n in range(1024)), most_rows=10**7))
    total = parties.add(*(parties.seal(place, 10**7) for place in range(1024)))
    assert parties.open(total) == (1024, 1024 * 10**7)


def test_a_total_of_fewer_is_refused_before_it_is_opened(parties: Parties, sealed: list[bytes]) -> None:
    part = parties.sealed_of(sealed[0])
    for places in [(0,), (0, 1)]:
        with pytest.raises(Incorrect, match="at least 3"):
            parties.open(Total(places, part))


def refused(parties: Parties, places: tuple[int, ...], part: bytes) -> None:
    with pytest.raises(Unprocessable, match="not the sum of the contributions") as told:
        parties.open(Total(places, part))
    assert told.value.__cause__ is None


def test_one_site_in_place_of_all_is_refused(parties: Parties, sealed: list[bytes]) -> None:
    refused(parties, (0, 1, 2), parties.sealed_of(sealed[0]))


def test_one_site_three_times_is_refused(parties: Parties, sealed: list[bytes]) -> None:
    one = parties.sealed_of(sealed[0])
    refused(parties, (0, 1, 2), summed(parties, one, one, one))


def test_a_site_left_out_but_named_is_refused(parties: Parties, sealed: list[bytes]) -> None:
    refused(parties, (0, 1, 2, 3), summed(parties, *map(parties.sealed_of, sealed[:3])))


def test_a_site_added_but_not_named_is_refused(parties: Parties, sealed: list[bytes]) -> None:
    refused(parties, (0, 1, 2), summed(parties, *map(parties.sealed_of, sealed)))


def test_a_site_named_in_place_of_another_is_refused(parties: Parties, sealed: list[bytes]) -> None:
    refused(parties, (0, 1, 3), summed(parties, *map(parties.sealed_of, sealed[:3])))


@pytest.mark.parametrize("place", [0, 1, 2, 500, PLACES - 1, PLACES - 7])
@pytest.mark.parametrize("shift", [1.0, -1.0, 0.3])
def test_a_shift_of_any_place_is_refused(parties: Parties, sealed: list[bytes], place: int, shift: float) -> None:
    """Anybody can seal numbers of his own under the public key, and add them."""
    places = np.zeros(PLACES)
    places[place] = shift
    ring = public_ring(parties)
    own = ring.encrypt(places.view(np.complex128), SUMS.input_scale)
    refused(parties, (0, 1, 2), summed(parties, *map(parties.sealed_of, sealed[:3]), own))


def test_what_an_adder_made_up_by_itself_is_refused(parties: Parties) -> None:
    """Three rows of three sites, and a tag of its own."""
    ring = public_ring(parties)
    digits = np.array([0, 300, 0][: parties.study.layout.used], dtype=np.int64)
    refused(parties, (0, 1, 2), ring.encrypt(parties.study.layout.slots(digits, 12345)[0], SUMS.input_scale))


def test_a_total_of_one_site_with_the_tags_of_three_is_refused(parties: Parties, sealed: list[bytes]) -> None:
    """Even if slots could be cut out of a ciphertext: data of one, tags of all. Here that is done openly."""
    layout, ring = parties.study.layout, parties.coordinator._ring
    opened = [ring.decrypt(ring.load(parties.sealed_of(one), SUMS.input_scale)).view(np.float64) for one in sealed[:3]]
    mixed = np.rint(sum(opened))
    mixed[: layout.used] = np.rint(3 * opened[0][: layout.used])
    refused(parties, (0, 1, 2), public_ring(parties).encrypt(mixed.view(np.complex128), SUMS.input_scale))


@pytest.mark.parametrize("seed", range(40))
def test_damage_is_refused(parties: Parties, sealed: list[bytes], seed: int) -> None:
    draw = np.random.default_rng(seed)
    right = parties.add(*sealed).sealed
    damaged = bytearray(right)
    damaged[draw.integers(len(right))] ^= 1 << int(draw.integers(8))
    total = Total((0, 1, 2, 3), bytes(damaged))
    try:
        assert parties.open(total) == (4, sum(ROWS))  # a bit of the noise, or of a byte that nobody reads
    except Unprocessable:
        return


@pytest.mark.production_set
def test_of_two_thousand_changed_totals_none_opens_to_other_numbers(parties: Parties, sealed: list[bytes]) -> None:
    draw = np.random.default_rng(7)
    total = parties.add(*sealed)
    right = wire.write_total(total, parties.first)
    others = [parties.sealed_of(one) for one in sealed]
    accepted = 0
    for _ in range(2000):
        changed = bytearray(right)
        at, kind = int(draw.integers(len(right))), int(draw.integers(5))
        if kind == 0:
            changed[at] ^= 1 << int(draw.integers(8))
        elif kind == 1:
            changed[at : at + 64] = draw.bytes(len(changed[at : at + 64]))
        elif kind == 2:  # part of one site's ciphertext in place of the total's
            part = others[int(draw.integers(4))]
            start, length = int(draw.integers(len(part))), int(draw.integers(1, 40_000))
            begin = len(right) - len(part)
            changed[begin + start : begin + start + length] = part[start : start + length]
        elif kind == 3:
            del changed[at:]
        else:
            changed += draw.bytes(int(draw.integers(1, 100)))
        try:
            read = wire.read_total(bytes(changed), parties.study, parties.first)
            assert parties.open(read) == (4, sum(ROWS))
            accepted += 1
        except (Incorrect, Unprocessable):
            continue
    assert accepted < 20  # where only noise was changed, or nothing at all


def test_a_total_of_another_study_or_round_or_length_is_refused(parties: Parties, sealed: list[bytes]) -> None:
    total, other = parties.add(*sealed), Parties(plan())
    data = wire.write_total(total, parties.first)
    with pytest.raises(Incorrect, match="another study or another round"):
        wire.read_total(data, other.study, other.first)
    with pytest.raises(Incorrect, match="another study or another round"):
        wire.read_total(data, parties.study, Round(parties.study.digest, 2))
    for wrong in (data[:-1], data + b"\0", data[:20], b"", b"X" + data[1:]):
        with pytest.raises(Incorrect):
            wire.read_total(wrong, parties.study, parties.first)
    for places in ((0, 0, 1), (2, 1, 0), (0, 1, 9)):
        with pytest.raises(Incorrect, match="names a site twice"):
            wire.read_total(wire.write_total(Total(places, total.sealed), parties.first), parties.study, parties.first)
    refused(other, (0, 1, 2, 3), total.sealed)


def test_a_contribution_tells_nothing_and_a_site_cannot_open_it(parties: Parties, sealed: list[bytes]) -> None:
    again = parties.seal(0, ROWS[0])
    assert again != sealed[0]
    ring = public_ring(parties)
    assert not ring.holds_secret_key
    with pytest.raises(Fault):
        ring.decrypt(ring.load(parties.sealed_of(again), SUMS.input_scale))


def test_the_study_file_holds_no_secret(parties: Parties) -> None:
    written = studies.write(parties.study)
    for secret in (parties.coordinator._shared, parties.coordinator._signer, *parties.coordinator._owns):
        assert secret.hex().encode() not in written
    assert studies.read(written).digest == parties.study.digest


@pytest.mark.parametrize(
    "change",
    [
        (b'"minimum_contributors":3', b'"minimum_contributors":2'),
        (b'"profile":"P1-sum"', b'"profile":"P1-rot"'),
        (b'"form":"fhirtwin study 1"', b'"form":"fhirtwin study 2"'),
        (b'"sites":["north"', b'"sites":["north2"'),
    ],
)
def test_a_study_file_that_was_changed_is_refused_or_another_study(
    parties: Parties, change: tuple[bytes, bytes]
) -> None:
    written = studies.write(parties.study)
    assert change[0] in written
    try:
        assert studies.read(written.replace(*change, 1)).digest != parties.study.digest
    except Incorrect:
        return


def test_what_is_opened_recovers_nothing_of_the_key(parties: Parties, sealed: list[bytes]) -> None:
    total, ring = parties.add(*sealed), parties.coordinator._ring
    raw = ring.decrypt(ring.load(total.sealed, SUMS.input_scale))
    assert recovered(ring, total.sealed, raw, SUMS.input_scale) > 0.99
    assert recovered(ring, total.sealed, np.round(raw), SUMS.input_scale) == 0.0


def test_secrets_come_back_from_where_they_are_kept(parties: Parties, sealed: list[bytes]) -> None:
    again = Coordinator.restored(parties.coordinator.kept(), parties.study)
    assert again.open(parties.study, parties.first, parties.add(*sealed)) == (4, sum(ROWS))
    assert [one.own for one in again.invitations(parties.study)] == [one.own for one in parties.invitations]
    with pytest.raises(Incorrect, match="another study"):
        Coordinator.restored(parties.coordinator.kept()[:-1], parties.study)


def test_an_invitation_to_another_study_is_refused(parties: Parties) -> None:
    other = Parties(plan())
    with pytest.raises(Incorrect, match="another study"):
        Parties.seal(_with(parties, other), 0, 5)


def _with(parties: Parties, other: Parties) -> Parties:
    mixed = object.__new__(Parties)
    mixed.__dict__ |= parties.__dict__ | {"invitations": other.invitations}
    return mixed


def test_nobody_shows_a_secret_by_printing_it(parties: Parties) -> None:
    for one in (parties.coordinator, *parties.invitations):
        shown = repr(one)
        assert parties.coordinator._shared.hex() not in shown and str(parties.coordinator._shared) not in shown
