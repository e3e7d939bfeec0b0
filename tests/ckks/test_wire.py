from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhirtwin import __version__
from fhirtwin.ckks import mac, profiles, wire
from fhirtwin.ckks.sealed import SealedFeatures, SealedScores
from fhirtwin.errors import FhirtwinError, Incorrect
from tests.ckks.builders import KEY, OTHER_KEY

CIPHERTEXT = np.random.default_rng(1).bytes(profiles.MASKED.ciphertext_bytes)
FEATURES = SealedFeatures("P1-mask", "ab" * 32, bytes(range(16)), CIPHERTEXT)
ROTATING = replace(FEATURES, profile="P1-rot", evaluation_keys=bytes(557_564))
SCORES = SealedScores("P1-mask", "ab" * 32, bytes(range(16)), CIPHERTEXT[::-1])


def asking(features: SealedFeatures = FEATURES, *, key: bytes = KEY, with_keys: bool = False) -> bytes:
    digest = wire.keys_digest(features.evaluation_keys)
    return wire.write_request(features, __version__, key, digest, with_keys=with_keys)


def answer(request: bytes, scores: SealedScores = SCORES, *, key: bytes = KEY) -> bytes:
    return wire.write_response(scores, __version__, key, wire.read_request(request, KEY), 0.00125)


def test_requests_are_read_as_they_were_written() -> None:
    read = wire.read_request(asking(), KEY)
    assert read.features == FEATURES
    assert read.version == __version__
    assert read.keys_digest == wire.NO_KEYS
    bare, full = (wire.read_request(asking(ROTATING, with_keys=keys), KEY) for keys in (False, True))
    assert full.features == ROTATING
    assert bare.features == replace(ROTATING, evaluation_keys=b"")
    assert bare.keys_digest == full.keys_digest != wire.NO_KEYS


def test_responses_are_read_as_they_were_written() -> None:
    request = asking()
    read = wire.read_response(answer(request), KEY, FEATURES, request)
    assert read.scores == SCORES
    assert read.version == __version__
    assert read.evaluate_seconds == pytest.approx(0.00125)


def test_messages_have_the_declared_lengths_and_are_below_66_kilobytes() -> None:
    lengths = wire.request_lengths(profiles.ROTATING, 557_564)
    assert {len(asking(ROTATING)), len(asking(ROTATING, with_keys=True))} == lengths
    assert {len(asking())} == wire.request_lengths(profiles.MASKED, 0)
    assert len(asking()) == len(answer(asking())) <= 66_000


def test_any_changed_bit_of_any_byte_of_the_frame_is_refused() -> None:
    request = asking()
    reply = answer(request)
    frame = wire.OVERHEAD_BYTES - wire.MAC_BYTES
    places = [*range(frame), *range(frame, len(request), 997), *range(len(request) - wire.MAC_BYTES, len(request))]
    for place in places:
        flipped = bytearray(request)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(Incorrect):
            wire.read_request(bytes(flipped), KEY)
        flipped = bytearray(reply)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(Incorrect):
            wire.read_response(bytes(flipped), KEY, FEATURES, request)


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:100], lambda b: b[:-1], lambda b: b + b"\x00"])
def test_truncated_and_padded_messages_are_refused(damage: object) -> None:
    request = asking()
    with pytest.raises(Incorrect):
        wire.read_request(damage(request), KEY)  # type: ignore[operator]
    with pytest.raises(Incorrect):
        wire.read_response(damage(answer(request)), KEY, FEATURES, request)  # type: ignore[operator]


def test_garbage_is_refused_with_an_error_of_ours() -> None:
    draw = np.random.default_rng(5)
    for length in (0, 1, 155, 156, 157, 500, 65_805):
        with pytest.raises(FhirtwinError):
            wire.read_request(draw.bytes(length), KEY)
        with pytest.raises(FhirtwinError):
            wire.read_response(draw.bytes(length), KEY, FEATURES, asking())


def test_another_key_is_refused_and_a_short_key_is_not_used() -> None:
    request = asking()
    with pytest.raises(Incorrect, match="another key"):
        wire.read_request(asking(key=OTHER_KEY), KEY)
    with pytest.raises(Incorrect, match="another key"):
        wire.read_response(answer(request, key=OTHER_KEY), KEY, FEATURES, request)
    with pytest.raises(Incorrect, match="at least 32 bytes"):
        asking(key=KEY[:31])


def test_an_answer_to_another_request_is_refused() -> None:
    first, second = asking(), asking(replace(FEATURES, request_id=bytes(16)))
    with pytest.raises(Incorrect, match="another request"):
        wire.read_response(answer(second), KEY, FEATURES, first)
    same_id_other_vector = asking(replace(FEATURES, sealed_vector=CIPHERTEXT[::-1]))
    with pytest.raises(Incorrect, match="another request"):
        wire.read_response(answer(same_id_other_vector), KEY, FEATURES, first)


@pytest.mark.parametrize(
    "scores",
    [
        replace(SCORES, request_id=bytes(16)),
        replace(SCORES, panel_digest="cd" * 32),
        replace(SCORES, profile="P1-rot"),
        replace(SCORES, sealed_sums=CIPHERTEXT[:-1]),
        replace(SCORES, sealed_sums=CIPHERTEXT + b"\x00"),
    ],
)
def test_an_answer_that_names_something_else_or_has_a_wrong_length_is_refused(scores: SealedScores) -> None:
    request = asking()
    with pytest.raises(Incorrect, match="another request"):
        wire.read_response(answer(request, scores), KEY, FEATURES, request)


def test_a_request_does_not_pass_for_a_response_nor_the_reverse() -> None:
    request = asking()
    with pytest.raises(Incorrect):
        wire.read_response(request, KEY, FEATURES, request)
    with pytest.raises(Incorrect):
        wire.read_request(answer(request), KEY)


def test_evaluation_keys_must_be_those_that_are_named() -> None:
    wrong = wire.write_request(ROTATING, __version__, KEY, wire.keys_digest(b"others"), with_keys=True)
    with pytest.raises(Incorrect, match="not those"):
        wire.read_request(wrong, KEY)


@pytest.mark.parametrize("change", [{"request_id": bytes(15)}, {"panel_digest": "ab" * 31}, {"profile": "P" * 17}])
def test_parts_that_do_not_fit_the_frame_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Incorrect, match="wrong length"):
        asking(replace(FEATURES, **change))  # type: ignore[arg-type]


def test_macs_of_errors_and_of_readiness_differ_by_everything_they_cover() -> None:
    macs = [
        wire.sign_error(KEY, 400, b"x"),
        wire.sign_error(KEY, 401, b"x"),
        wire.sign_error(KEY, 400, b"y"),
        wire.sign_error(OTHER_KEY, 400, b"x"),
        wire.sign_ready(KEY, b"c" * 16, b"x"),
        wire.sign_ready(KEY, b"d" * 16, b"x"),
    ]
    assert len(set(macs)) == 6
    assert mac.same(macs[0], wire.sign_error(KEY, 400, b"x"))
