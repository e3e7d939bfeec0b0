from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from fhirtwin.ckks import mac
from fhirtwin.errors import Fault, Incorrect
from tests.ckks.builders import KEY, OTHER_KEY

LABEL, MESSAGE = b"fhirtwin test\x00", bytes(range(256)) * 11


def test_a_long_message_has_gmac_under_a_key_of_its_own() -> None:
    signed = mac.of_long(KEY, LABEL, MESSAGE)
    own = hmac.new(KEY, b"fhirtwin key of one message\x00" + LABEL + signed[:16], hashlib.sha256).digest()
    gmac = Cipher(algorithms.AES(own), modes.GCM(bytes(12))).encryptor()
    gmac.authenticate_additional_data(MESSAGE)
    gmac.finalize()
    assert signed[16:] == gmac.tag
    assert len(signed) == mac.MAC_BYTES


def test_no_two_macs_of_a_message_are_alike_and_all_are_right() -> None:
    made = {mac.of_long(KEY, LABEL, MESSAGE) for _ in range(1000)}
    assert len({one[:16] for one in made}) == len({one[16:] for one in made}) == 1000
    assert all(mac.is_of_long(one, KEY, LABEL, MESSAGE) for one in made)


def test_any_changed_bit_is_found() -> None:
    signed = mac.of_long(KEY, LABEL, MESSAGE)
    for place in range(mac.MAC_BYTES * 8):
        changed = bytearray(signed)
        changed[place // 8] ^= 1 << place % 8
        assert not mac.is_of_long(bytes(changed), KEY, LABEL, MESSAGE)
    for place in range(len(MESSAGE)):
        other = bytearray(MESSAGE)
        other[place] ^= 1 << place % 8
        assert not mac.is_of_long(signed, KEY, LABEL, other)


@pytest.mark.parametrize(
    ("key", "label", "data"),
    [
        (OTHER_KEY, LABEL, MESSAGE),
        (KEY, LABEL[:-1], MESSAGE),
        (KEY, LABEL, MESSAGE[:-1]),
        (KEY, LABEL, MESSAGE + b"\x00"),
        (KEY, LABEL, b""),
    ],
)
def test_another_secret_label_or_message_is_found(key: bytes, label: bytes, data: bytes) -> None:
    assert not mac.is_of_long(mac.of_long(KEY, LABEL, MESSAGE), key, label, data)


@pytest.mark.parametrize("length", [0, 15, 16, 17, 31, 33, 48])
def test_a_mac_of_another_length_is_none(length: int) -> None:
    assert not mac.is_of_long((mac.of_long(KEY, LABEL, MESSAGE) * 2)[:length], KEY, LABEL, MESSAGE)


def test_a_short_message_has_hmac_and_never_tells_the_key_of_a_long_one() -> None:
    assert mac.of_short(KEY, LABEL, MESSAGE) == hmac.new(KEY, LABEL + MESSAGE, hashlib.sha256).digest()
    nonce = mac.of_long(KEY, LABEL, MESSAGE)[:16]
    with pytest.raises(Fault, match="key of a message"):
        mac.of_short(KEY, b"fhirtwin key of one message\x00" + LABEL, nonce)


def test_short_secrets_sign_nothing() -> None:
    for sign in (mac.of_long, mac.of_short):
        with pytest.raises(Incorrect, match="at least 32 bytes"):
            sign(KEY[:31], LABEL, MESSAGE)
    with pytest.raises(Incorrect, match="at least 32 bytes"):
        mac.is_of_long(bytes(32), KEY[:31], LABEL, MESSAGE)
