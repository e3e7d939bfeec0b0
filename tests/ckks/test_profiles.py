from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fhirtwin.ckks import profiles
from fhirtwin.ckks.context import Ring
from fhirtwin.errors import Incorrect

BOTH = [profiles.MASKED, profiles.ROTATING]


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_pinned_profiles_are_inside_the_limits_of_2018_and_of_2024(profile: profiles.Profile) -> None:
    assert sum(profile.modulus_bits) <= 106
    assert profiles.MAX_MODULUS_BITS[profile.degree] == 106
    profiles.check(profile)


def test_pinned_parameters_do_not_drift() -> None:
    masked, rotating = BOTH
    assert (masked.degree, masked.modulus_bits, masked.input_bits, masked.weight_bits) == (4096, (60, 46), 28, 24)
    assert (rotating.degree, rotating.modulus_bits) == (4096, (60, 46))
    assert (rotating.input_bits, rotating.weight_bits) == (29, 25)
    assert masked.mask_bits == 6
    assert masked.step == rotating.step == Decimal("0.001")


@pytest.mark.parametrize("profile", BOTH, ids=lambda p: p.name)
def test_lengths_are_those_that_seal_writes(profile: profiles.Profile) -> None:
    import numpy as np

    ring = Ring(profile)
    ring.make_keys()
    assert profile.ciphertext_bytes == 65_649
    assert len(ring.encrypt(np.ones(2048, dtype=np.complex128), profile.input_scale)) == 65_649
    for count in (1, 4, 5):
        assert len(ring.make_rotation_keys([1 << i for i in range(count)])) == profile.rotation_keys_bytes(count)
    assert profile.rotation_keys_bytes(0) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"modulus_bits": (60, 49)},  # 109 bits: inside the limit of 2018, outside that of 2024
        {"modulus_bits": (60, 50)},
        {"degree": 2048},
        {"degree": 8192},
        {"input_bits": 27},
        {"step": Decimal("0.0000001")},
        {"name": "P9"},
    ],
)
def test_anything_but_a_pinned_profile_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Incorrect, match="profile"):
        Ring(replace(profiles.MASKED, **change))  # type: ignore[arg-type]


def test_what_seal_thinks_insecure_is_refused_although_pyfhel_does_not_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    weak = replace(profiles.MASKED, modulus_bits=(60, 60))
    monkeypatch.setattr(profiles, "check", lambda _: None)
    with pytest.raises(Incorrect, match="SEAL does not accept"):
        Ring(weak)


def test_unknown_names_and_modes_are_refused() -> None:
    assert profiles.profile("P1-rot") is profiles.ROTATING
    assert profiles.for_mode("masked") is profiles.MASKED
    with pytest.raises(Incorrect, match="P1-mask, P1-rot"):
        profiles.profile("P1")
    for mode in ("plain", "batch", "polygenic", "network"):
        with pytest.raises(Incorrect, match="masked or rotating"):
            profiles.for_mode(mode)
