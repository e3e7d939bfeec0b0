"""Traps of Pyfhel 3.5 that no test of a single class shows: what must not be touched, copied or believed.

The others are in `test_context` (strided, empty and non-finite arrays, no key, missing rotation keys, context), in
`circuits/test_network` (missing key of squares, levels), `test_profiles` (insecure parameters) and `test_panel`
(overflow).
"""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fhirtwin import __version__
from fhirtwin.ckks import profiles, wire
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.levelled import LevelledRing
from fhirtwin.engine.evaluator import Evaluator
from fhirtwin.errors import EngineAnswerWrong, Fault, Incorrect
from fhirtwin.vault import Vault
from tests.ckks.builders import KEY, evaluate, random_panel
from tests.ckks.search_of_pyfhel import Search
from tests.conftest import ROOT

PANEL = random_panel()

SAFE = {
    *("contextGen", "n", "sec", "qi", "is_secret_key_empty", "is_public_key_empty", "is_rotate_key_empty"),
    *("is_relin_key_empty", "keyGen", "rotateKeyGen", "relinKeyGen", "to_bytes_rotate_key", "from_bytes_rotate_key"),
    *("to_bytes_relin_key", "from_bytes_relin_key", "to_bytes_secret_key", "from_bytes_secret_key"),
    *("to_bytes_public_key", "from_bytes_public_key", "encodeComplex", "encryptPtxt", "decryptComplex"),
    *("multiply_plain", "add", "sub", "add_plain", "rotate", "square", "relinearize", "rescale_to_next"),
    *("mod_switch_to_next_ptxt", "mod_switch_to_next_ctxt"),
}
"""What of Pyfhel is used. Not among it: operators and `align_mod_n_scale`, which align by a count of levels that
serialisation loses; `cumul_add`, which rotates the other way; `scalar_prod`, which changes levels without rescaling;
`from_bytes_context`, which takes the security level from whoever sent the bytes."""


def searched(source: str) -> set[str]:
    """What is in it that was not found safe."""
    found = Search(source)
    return found.used - SAFE | set(found.faults)


CKKS = ROOT / "fhirtwin" / "ckks"


def test_nothing_of_pyfhel_is_used_but_what_was_found_safe() -> None:
    """In `ckks`, that is: that nothing else knows Pyfhel, import-linter shows."""
    sources = {path: path.read_text() for path in CKKS.rglob("*.py")}
    assert {path.name: found for path, source in sources.items() if (found := searched(source))} == {}
    used = set().union(*(Search(source).used for source in sources.values()))
    assert {"contextGen", "rotate", "decryptComplex"} <= used, "the search sees what it is to see"


@pytest.mark.parametrize(
    "line",
    [
        "self._pyfhel.cumul_add(sealed._held)",
        "he = self._pyfhel; he.cumul_add(sealed._held)",
        "he: object = self._pyfhel",
        "(he := self._pyfhel).scalar_prod(sealed._held, sealed._held)",
        "(he,) = (self._pyfhel,)",
        "[he.cumul_add(sealed._held) for he in (self._pyfhel,)]",
        "_elsewhere(self._pyfhel)",
        "return self._pyfhel",
        "getattr(self._pyfhel, 'cumul_add')(sealed._held)",
        "getattr(self, '_pyfhel').cumul_add(sealed)",
        "vars(self)['_pyfhel'].cumul_add(sealed)",
        "self.__dict__['_pyfhel'].cumul_add(sealed)",
        "import operator; operator.attrgetter('_py' + 'fhel')(self).cumul_add(sealed)",
        "from operator import attrgetter as of",
        "object.__getattribute__(self, '_pyf' + 'hel')",
        "import Pyfhel as everything",
        "from Pyfhel import PyCtxt as Other",
        "from Pyfhel.PyCtxt import PyCtxt",
        "kind = PyCtxt",
        "return sealed._held * sealed._held",
        "return sealed._held + 1",
        "sealed._held *= 2",
        "held = sealed._held; held *= held",
        "-sealed._held",
        "sealed._held.__mul__(sealed._held)",
        "_elsewhere(sealed._held)",
        "loaded = PyCtxt(copy_ctxt=sealed._held); loaded *= loaded",
        "other = self._pyfhel.rotate(sealed._held, 1, in_new_ctxt=True); other += other",
        "Pyfhel().from_bytes_context(sealed)",
        "eval('self._' + 'pyfhel')",
    ],
)
def test_the_search_finds_what_is_put_into_a_module(line: str) -> None:
    source = (CKKS / "levelled.py").read_text()
    place = "        self._pyfhel.rescale_to_next(sealed._held)\n"
    assert searched(source) == set()
    assert source.count(place) == 1
    assert searched(source.replace(place, f"{place}        {line}\n")) != set()


@pytest.mark.parametrize(
    "apply",
    [
        *(operator.add, operator.sub, operator.mul, operator.matmul, operator.truediv, operator.pow, operator.xor),
        *(operator.iadd, operator.isub, operator.imul, operator.imatmul, operator.itruediv, operator.ipow),
        *(operator.lshift, operator.rshift, operator.ilshift, operator.irshift, operator.ixor),
    ],
)
def test_a_ciphertext_has_no_operator_with_another_a_plaintext_or_a_number(apply: Callable[..., object]) -> None:
    ring = LevelledRing(profiles.NETWORK)
    ring.make_keys()
    slots, scale = np.ones(ring.profile.slots, dtype=np.complex128), ring.profile.input_scale
    sealed, plain = ring.load(ring.encrypt(slots, scale), scale), ring.encode(slots, scale)
    for other in (ring.copy(sealed), plain, 2, 2.0):
        for pair in ((sealed, other), (other, sealed)):
            with pytest.raises(TypeError):
                apply(*pair)
    for of_one in (operator.neg, operator.pos, operator.invert, bytes, len):
        with pytest.raises(TypeError):
            of_one(sealed)


@pytest.mark.parametrize("kind", [Ring, LevelledRing])
@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_ring_is_not_copied_for_its_copy_would_have_lost_its_keys(kind: type[Ring], copied: object) -> None:
    with pytest.raises(Fault, match="is not copied"):
        copied(kind(profiles.NETWORK))  # type: ignore[operator]


def test_evaluation_keys_are_not_made_of_a_loaded_key_for_they_would_be_those_of_another() -> None:
    ring, loaded = LevelledRing(profiles.NETWORK), LevelledRing(profiles.NETWORK)
    ring.make_keys()
    loaded.load_keys(ring.secret_key(), ring.public_key())
    for make in (lambda: loaded.make_rotation_keys([4]), loaded.make_relinearisation_key):
        with pytest.raises(Fault, match="not of one that was loaded"):
            make()
    loaded.make_keys()
    assert loaded.make_rotation_keys([4]) and loaded.make_relinearisation_key()


def test_a_panel_of_zeros_is_refused_before_a_patient_is_sealed() -> None:
    """SEAL refuses a product with a plaintext that is zero everywhere, in the middle of an evaluation."""
    panel = replace(PANEL, weights=np.zeros_like(PANEL.weights))
    with pytest.raises(Incorrect):
        Evaluator(panel)


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_a_vector_of_zeros_is_evaluated_as_any_other(mode: str) -> None:
    vault = Vault(PANEL, mode=mode)
    features, opening = vault.seal(np.zeros(len(PANEL.features)))
    opened = vault.open(evaluate(Evaluator(PANEL), features), opening)
    assert {abs(float(value)) <= 0.001 for value in opened.values.values()} == {True}


@pytest.mark.parametrize("mode", ["masked", "rotating"])
def test_a_ciphertext_under_another_key_is_noise_and_is_refused(mode: str) -> None:
    vault, other = Vault(PANEL, mode=mode), Vault(PANEL, mode=mode)
    features, opening = vault.seal(PANEL.high)
    foreign = evaluate(Evaluator(PANEL), other.seal(PANEL.high)[0])
    with pytest.raises(EngineAnswerWrong):
        vault.open(replace(foreign, request_id=features.request_id), opening)


@pytest.mark.parametrize("name", ["P9-mask", "P1-rot", "P2-net"])
def test_an_answer_in_other_parameters_is_refused_by_the_gateway(name: str) -> None:
    vault = Vault(PANEL)
    features, opening = vault.seal(PANEL.high)
    request = wire.write_request(features, __version__, KEY, wire.NO_KEYS, with_keys=False)
    scores = replace(evaluate(Evaluator(PANEL), features), profile=name)
    asked = wire.read_request(request, KEY)
    with pytest.raises(Incorrect, match="answers another request"):
        wire.read_response(wire.write_response(scores, __version__, KEY, asked, 0.0), KEY, features, request)
    with pytest.raises(EngineAnswerWrong):
        vault.open(scores, opening)
