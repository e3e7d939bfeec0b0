"""Each silent or deadly trap of Pyfhel is an exception here."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from fhirtwin.ckks import profiles
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Fault, Incorrect

PROFILE = profiles.ROTATING
SCALE = PROFILE.input_scale


@pytest.fixture(scope="module")
def ring() -> Ring:
    made = Ring(PROFILE)
    made.make_keys()
    return made


def slots(**at: complex) -> np.ndarray:
    vector = np.zeros(PROFILE.slots, dtype=np.complex128)
    for index, value in at.items():
        vector[int(index.removeprefix("s"))] = value
    return vector


def test_what_is_encrypted_opens_again(ring: Ring) -> None:
    vector = np.exp(1j * np.arange(PROFILE.slots))
    opened = ring.decrypt(ring.load(ring.encrypt(vector, SCALE), SCALE))
    assert np.abs(opened - vector).max() < 2e-5


def test_a_strided_view_is_encoded_as_the_numbers_it_shows(ring: Ring) -> None:
    strided = (np.arange(2 * PROFILE.slots) / PROFILE.slots).astype(np.complex128)[::2]
    assert not strided.flags.c_contiguous
    opened = ring.decrypt(ring.load(ring.encrypt(strided, SCALE), SCALE))
    assert np.abs(opened - strided).max() < 2e-5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1j * np.inf, 1e30, 2.0**31 * PROFILE.slots])
def test_numbers_that_encode_to_garbage_are_refused(ring: Ring, bad: complex) -> None:
    with pytest.raises(Fault, match="finite and fit the modulus"):
        ring.encode(slots(s3=bad), SCALE)


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(0, dtype=np.complex128),
        np.zeros(2047, dtype=np.complex128),
        np.zeros(2049, dtype=np.complex128),
        np.zeros((2, 1024), dtype=np.complex128),
        np.zeros(2048, dtype=np.float64),
        np.zeros(2048, dtype=np.complex64),
    ],
    ids=["empty", "short", "long", "two-dimensional", "real", "single"],
)
def test_vectors_of_another_shape_or_type_are_refused(ring: Ring, vector: np.ndarray) -> None:
    with pytest.raises(Fault, match="one complex number for each slot"):
        ring.encode(vector, SCALE)


def test_nothing_is_decrypted_without_a_secret_key(ring: Ring) -> None:
    sealed = ring.encrypt(slots(s0=1), SCALE)
    keyless = Ring(PROFILE)
    assert not keyless.holds_secret_key
    with pytest.raises(Fault, match="no key to open with"):
        keyless.decrypt(keyless.load(sealed, SCALE))


def test_nothing_is_encrypted_and_no_rotation_key_made_without_a_key() -> None:
    keyless = Ring(PROFILE)
    with pytest.raises(Fault, match="no key to seal with"):
        keyless.encrypt(slots(s0=1), SCALE)
    with pytest.raises(Fault, match="no key to open with"):
        keyless.make_rotation_keys([1])


def test_rotating_needs_the_keys_and_the_step() -> None:
    ring = Ring(PROFILE)
    ring.make_keys()
    scale = PROFILE.product_scale  # rotating comes after multiplying, where its noise is negligible
    sealed = ring.load(ring.encrypt(slots(s5=1), scale), scale)
    with pytest.raises(Incorrect, match="evaluation keys are missing"):
        ring.add_rotated(sealed, 4)
    engine = Ring(PROFILE)
    engine.load_rotation_keys(ring.make_rotation_keys([4]), 1)
    with pytest.raises(Incorrect, match="not for the steps"):
        engine.add_rotated(sealed, 8)
    engine.add_rotated(sealed, 4)
    assert np.abs(ring.decrypt(sealed) - slots(s5=1, s1=1)).max() < 1e-5
    assert not engine.holds_secret_key


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b + b"\x00", lambda b: b"", lambda b: bytes(len(b))])
def test_ciphertexts_of_a_wrong_length_or_form_are_refused(ring: Ring, damage: object) -> None:
    sealed = ring.encrypt(slots(s0=1), SCALE)
    with pytest.raises(Incorrect, match="ciphertext"):
        ring.load(damage(sealed), SCALE)  # type: ignore[operator]


def test_a_ciphertext_of_another_scale_is_refused(ring: Ring) -> None:
    with pytest.raises(Incorrect, match="not what its profile says"):
        ring.load(ring.encrypt(slots(s0=1), SCALE * 2), SCALE)


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b + b"\x00", lambda b: b""])
def test_rotation_keys_of_a_wrong_length_are_refused(ring: Ring, damage: object) -> None:
    keys = ring.make_rotation_keys([1, 2])
    with pytest.raises(Incorrect, match="wrong length"):
        Ring(PROFILE).load_rotation_keys(damage(keys), 2)  # type: ignore[operator]


def test_rotation_keys_that_are_garbage_are_refused() -> None:
    with pytest.raises(Incorrect, match="cannot be read"):
        Ring(PROFILE).load_rotation_keys(bytes(PROFILE.rotation_keys_bytes(2)), 2)


@pytest.mark.parametrize("profile", [profiles.MASKED, profiles.ROTATING, profiles.NETWORK], ids=lambda one: one.name)
def test_what_is_encrypted_alone_opens_again_and_has_the_form_of_every_ciphertext(profile: Profile) -> None:
    ring, scale = Ring(profile), profile.input_scale
    vector = np.exp(1j * np.arange(profile.slots))
    ring.make_keys()
    usual = ring.encrypt(vector, scale)
    ring.make_keys()
    alone = ring.encrypt_alone(vector, scale)
    assert len(alone) == len(usual) == profile.ciphertext_bytes
    assert alone[: profile.level_bytes(0)] == usual[: profile.level_bytes(0)]
    assert np.abs(ring.decrypt(ring.load(alone, scale)) - vector).max() < 5e-6


def test_what_is_encrypted_alone_has_the_noise_of_a_symmetric_encryption() -> None:
    """Without noise the key could be computed. SEAL's has a standard deviation of 3.24 a coefficient."""
    off, zeros = [], np.zeros(PROFILE.slots, dtype=np.complex128)
    ring = Ring(PROFILE)
    for _ in range(20):
        ring.make_keys()
        off.append(ring.decrypt(ring.load(ring.encrypt_alone(zeros, SCALE), SCALE)))
    expected = 3.24 * np.sqrt(PROFILE.degree / 2) / SCALE
    for part in (np.stack(off).real, np.stack(off).imag):
        assert part.std() == pytest.approx(expected, rel=0.05)
    assert len({one.tobytes() for one in off}) == 20


def test_what_is_encrypted_alone_is_another_each_time_in_both_halves() -> None:
    ring, vector = Ring(PROFILE), np.exp(1j * np.arange(PROFILE.slots))
    halves = []
    for _ in range(2):
        ring.make_keys()
        sealed = ring.encrypt_alone(vector, SCALE)
        words = np.frombuffer(sealed, dtype="<u8", offset=PROFILE.level_bytes(0)).reshape(2, -1)
        assert words.max() < ring._pyfhel.qi[0]
        halves.append(words)
    assert not (halves[0] == halves[1]).any()


@pytest.mark.parametrize(
    "before",
    [
        lambda ring: ring.encrypt_alone(slots(s0=1), SCALE),
        lambda ring: ring.encrypt(slots(s0=1), SCALE),
        lambda ring: ring.public_key(),
        lambda ring: ring.load_public_key(ring.public_key()),
        lambda ring: ring.load_keys(ring.secret_key(), bytes(ring._pyfhel.to_bytes_public_key("none"))),
    ],
    ids=["alone", "encrypted", "shown", "public key loaded", "loaded"],
)
def test_keys_that_were_used_or_shown_encrypt_nothing_alone(before: Callable[[Ring], object]) -> None:
    ring = Ring(PROFILE)
    ring.make_keys()
    before(ring)
    with pytest.raises(Fault, match="used or shown"):
        ring.encrypt_alone(slots(s0=1), SCALE)
    ring.make_keys()
    assert ring.encrypt_alone(slots(s0=1), SCALE)


def test_nothing_is_encrypted_alone_without_a_key_and_a_refused_vector_uses_none_up() -> None:
    ring = Ring(PROFILE)
    with pytest.raises(Fault, match="used or shown"):
        ring.encrypt_alone(slots(s0=1), SCALE)
    ring.make_keys()
    with pytest.raises(Fault, match="finite"):
        ring.encrypt_alone(slots(s0=np.nan), SCALE)
    assert ring.encrypt_alone(slots(s0=1), SCALE)


def test_what_is_encrypted_again_opens_again_and_has_the_form_of_every_ciphertext() -> None:
    ring, vector = Ring(PROFILE), np.exp(1j * np.arange(PROFILE.slots))
    ring.make_keys()
    again = [ring.encrypt_again(vector, SCALE) for _ in range(3)]
    for one in again:
        assert len(one) == PROFILE.ciphertext_bytes
        assert one[: PROFILE.level_bytes(0)] == ring.encrypt(vector, SCALE)[: PROFILE.level_bytes(0)]
        assert np.abs(ring.decrypt(ring.load(one, SCALE)) - vector).max() < 1e-5
    words = [np.frombuffer(one, dtype="<u8", offset=PROFILE.level_bytes(0)) for one in again]
    assert max(int(one.max()) for one in words) < ring._pyfhel.qi[0]
    for left, right in combinations(words, 2):
        assert not (left == right).any()


def test_what_is_encrypted_again_has_the_noise_of_two_samples() -> None:
    zeros, off = np.zeros(PROFILE.slots, dtype=np.complex128), []
    ring = Ring(PROFILE)
    for _ in range(20):
        ring.make_keys()
        off.append(ring.decrypt(ring.load(ring.encrypt_again(zeros, SCALE), SCALE)))
    expected = 3.24 * np.sqrt(2) * np.sqrt(PROFILE.degree / 2) / SCALE
    for part in (np.stack(off).real, np.stack(off).imag):
        assert part.std() == pytest.approx(expected, rel=0.05)


def test_messages_under_one_key_share_noise_with_their_neighbours_alone_and_sums_of_many_do_not_gather_it() -> None:
    """Were all taken from one sample, two hundred would have its noise two hundred times."""
    ring, zeros, count = Ring(PROFILE), np.zeros(PROFILE.slots, dtype=np.complex128), 200
    ring.make_keys()
    opened = np.stack([ring.decrypt(ring.load(ring.encrypt_again(zeros, SCALE), SCALE)) for _ in range(count)])
    of_one = 3.24 * np.sqrt(PROFILE.degree / 2) / SCALE
    assert opened.real.std() == pytest.approx(np.sqrt(2) * of_one, rel=0.05)
    assert (opened[1:] - opened[:-1]).real.std() == pytest.approx(np.sqrt(6) * of_one, rel=0.05)
    assert (opened[2:] - opened[:-2]).real.std() == pytest.approx(2 * of_one, rel=0.05)
    for weights in (np.ones(count), np.arange(count) / count, (-1.0) ** np.arange(count)):
        assert (weights @ opened).real.std() < 1.1 * 2 * of_one * np.linalg.norm(weights)


def test_keys_of_the_process_that_this_one_was_forked_off_from_encrypt_nothing_alone() -> None:
    """The parent has them as well, and would seal another message under the same sample."""
    ring = Ring(PROFILE)
    ring.make_keys()
    assert ring.is_of_this_process
    told, tells = os.pipe()
    if (child := os.fork()) == 0:
        try:
            ring.encrypt_alone(slots(s0=1), SCALE)
        except Fault:
            os.write(tells, b"refused")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(tells)
    assert os.read(told, 10) == b"refused"
    os.close(told)
    assert ring.encrypt_alone(slots(s0=1), SCALE)


def test_new_keys_encrypt_again_with_samples_of_their_own() -> None:
    ring, vector = Ring(PROFILE), np.exp(1j * np.arange(PROFILE.slots))
    ring.make_keys()
    ring.encrypt_again(vector, SCALE)
    ring.make_keys()
    assert np.abs(ring.decrypt(ring.load(ring.encrypt_again(vector, SCALE), SCALE)) - vector).max() < 1e-5


def test_a_loaded_key_no_key_and_several_primes_encrypt_nothing_again() -> None:
    ring, loaded, levelled = Ring(PROFILE), Ring(PROFILE), Ring(profiles.NETWORK)
    with pytest.raises(Fault, match="no key to open with"):
        ring.encrypt_again(slots(s0=1), SCALE)
    for made in (ring, levelled):
        made.make_keys()
    loaded.load_keys(ring.secret_key(), ring.public_key())
    assert (ring.made_its_keys, loaded.made_its_keys) == (True, False)
    with pytest.raises(Fault, match="was loaded"):
        loaded.encrypt_again(slots(s0=1), SCALE)
    with pytest.raises(Fault, match="one data prime alone"):
        levelled.encrypt_again(np.ones(profiles.NETWORK.slots, dtype=np.complex128), profiles.NETWORK.input_scale)
