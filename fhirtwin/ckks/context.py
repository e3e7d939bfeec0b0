"""Where Pyfhel is touched, here and in `levelled`: every trap of it that is silent or deadly is an exception here.

Pyfhel 3.5 encodes strided arrays, NaN and empty arrays to wrong numbers without a word; dies of a segmentation fault
when it decrypts without a secret key; makes keys up when it rotates without rotation keys; makes evaluation keys of
another secret key than the one that was loaded; answers insecure parameters with a string; and takes parameters, a
security level of zero among them, from whoever sends it a context. It is not safe for two threads to use one `Ring` at
a time; callers see to that.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Never, NewType, SupportsIndex

import numpy as np
from numpy.typing import NDArray
from Pyfhel import PyCtxt, Pyfhel

from fhirtwin import machine
from fhirtwin.ckks import profiles
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Fault, Incorrect

Plaintext = NewType("Plaintext", object)
Complex = NDArray[np.complex128]

# What Pyfhel says by a warning (it made up a key, it lost precision) would be a wrong number later.
warnings.filterwarnings("error", message=r".*<Pyfhel Warning>")

machine.skip_static_destructors()


class Ciphertext:
    """One ciphertext, for the methods of a `Ring`. It has no operators.

    Those of Pyfhel align two ciphertexts by a count of levels that serialisation loses, and so add and multiply wrongly
    without a word.
    """

    __slots__ = ("_held",)

    def __init__(self, held: PyCtxt) -> None:
        self._held = held


class Ring:
    """The mathematics of one profile. It holds no key until it is given one.

    Raises:
        Incorrect: the profile is not a pinned one, or SEAL does not accept its parameters.
    """

    def __init__(self, profile: Profile) -> None:
        profiles.check(profile)
        self.profile = profile
        self._pyfhel: Any = Pyfhel()
        self._made_its_keys = self._nobody_has_public_key = False
        self._last_sample: Ciphertext | None = None
        self._process = 0
        # This scale is a default that is never used, since every encoding names its own; Pyfhel only insists that it be
        # the size of a prime.
        default_scale = 2.0 ** profile.modulus_bits[1]
        verdict = self._pyfhel.contextGen(
            scheme="CKKS", n=profile.degree, scale=default_scale, qi_sizes=list(profile.modulus_bits), sec=128
        )
        if verdict != "success: valid" or self._pyfhel.sec != 128 or self._pyfhel.n != profile.degree:
            raise Incorrect(f"SEAL does not accept the parameters of profile {profile.name} as secure.")

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise Fault("A ring is not copied: Pyfhel would leave its keys out of the copy without a word.")

    @property
    def made_its_keys(self) -> bool:
        """Whether the key that opens was made here; else it was loaded, or there is none."""
        return self._made_its_keys

    @property
    def is_of_this_process(self) -> bool:
        """Whether the keys were made in this process, and not in one that it was forked off from."""
        return self._process == os.getpid()

    @property
    def holds_secret_key(self) -> bool:
        """Whether this ring can open."""
        return not self._pyfhel.is_secret_key_empty()

    def make_keys(self) -> None:
        """Make a new secret and public key in place of those that may be here."""
        self._made_its_keys, self._nobody_has_public_key, self._last_sample = False, False, None
        self._pyfhel.keyGen()
        self._made_its_keys, self._nobody_has_public_key, self._process = True, True, os.getpid()

    def public_key(self) -> bytes:
        """The public key that is here, serialised: it seals and opens nothing.

        Raises:
            Fault: there is none.
        """
        self._need_public_key()
        self._nobody_has_public_key = False
        return bytes(self._pyfhel.to_bytes_public_key("none"))

    def load_public_key(self, data: bytes) -> None:
        """Load a public key that somebody sent.

        Raises:
            Incorrect: its length is not the profile's, or SEAL refuses it.
        """
        self._nobody_has_public_key = False
        self._load_key(self._pyfhel.from_bytes_public_key, data, self.profile.public_key_bytes, "A public key")

    def secret_key(self) -> bytes:
        """The key that opens, serialised. It must be sealed at once.

        Raises:
            Fault: there is none.
        """
        self._need_secret_key()
        return bytes(self._pyfhel.to_bytes_secret_key("none"))

    def load_keys(self, secret: bytes, public: bytes) -> None:
        """Load a pair of keys that was kept; Pyfhel opens only when it has both.

        Raises:
            Incorrect: the length of one is not the profile's, or SEAL refuses it.
        """
        self._made_its_keys, self._last_sample = False, None
        self.load_public_key(public)
        self._load_key(self._pyfhel.from_bytes_secret_key, secret, self.profile.secret_key_bytes, "A secret key")

    def make_rotation_keys(self, steps: Sequence[int]) -> bytes:
        """Make keys for rotations by these steps, and no others, and return them serialised.

        Raises:
            Fault: there is no secret key to make them from, or it was loaded.
        """
        self._need_own_keys()
        self._pyfhel.rotateKeyGen(list(steps))
        return bytes(self._pyfhel.to_bytes_rotate_key("none"))

    def load_rotation_keys(self, data: bytes, steps: int) -> None:
        """Load the rotation keys that a caller sent.

        Raises:
            Incorrect: their length is not that of keys for so many steps, or SEAL refuses them.
        """
        self._load_key(self._pyfhel.from_bytes_rotate_key, data, self.profile.rotation_keys_bytes(steps))

    def encode(self, values: Complex, scale: float) -> Plaintext:
        """Encode one number a slot.

        Raises:
            Fault: not exactly one finite complex number a slot, or they do not fit the modulus at this scale.
        """
        if values.shape != (self.profile.slots,) or values.dtype != np.complex128:
            raise Fault("A vector to encode must have one complex number for each slot.")
        contiguous = np.ascontiguousarray(values)
        # No coefficient of the encoded polynomial is larger than the mean magnitude over the slots, nor that than the
        # mean of the magnitudes of both parts. Written so that infinity and NaN fail as well.
        bound = float(np.abs(contiguous.view(np.float64)).sum()) / self.profile.slots * scale
        if not bound < 2.0 ** (self.profile.modulus_bits[0] - 1):
            raise Fault("A vector to encode must be finite and fit the modulus.")
        return Plaintext(self._pyfhel.encodeComplex(contiguous, scale=scale))

    def encrypt(self, values: Complex, scale: float) -> bytes:
        """Encode, encrypt under the public key that is here, and serialise.

        Raises:
            Fault: there is no key, or `encode` refuses.
        """
        self._need_public_key()
        self._nobody_has_public_key = False
        return bytes(self._pyfhel.encryptPtxt(self.encode(values, scale)).to_bytes("none"))

    def encrypt_alone(self, values: Complex, scale: float) -> bytes:
        """Encode, encrypt under the secret key that is here, and serialise: the only message under these keys.

        SEAL makes a public key as it encrypts zero under the secret key: `(−(a·s + e), a)`, with a new uniform `a` and
        new noise `e`. Modulo the data primes, and with a message added, it is the symmetric encryption of that message
        (Lyubashevsky, Peikert, Regev, EUROCRYPT 2010), a sixth of the work of one under a public key and a fifth of the
        noise. A second message would have the same `a` and `e`, and their difference would be readable; as would the
        first to whoever had the public key. Both are refused, and so is a process that was forked off with the keys,
        which its parent has as well. Why is told in decision 26.

        Raises:
            Fault: the keys were loaded, sealed something before, were shown, or are of another process; or `encode`
                refuses.
        """
        if not self._nobody_has_public_key or not self.is_of_this_process:
            raise Fault("A key that was used or shown does not encrypt by itself.")
        encoded = self.encode(values, scale)
        sealed = self._of_data_primes(self.public_key(), scale)
        self.add_plain(sealed, encoded)
        return self.save(sealed)

    def encrypt_again(self, values: Complex, scale: float) -> bytes:
        """Encode, encrypt under the secret key that was made here, and serialise: one message of many.

        SEAL makes a relinearisation key as `(−(a·s + e) + p·s², a)`, with a new uniform `a` and new noise `e` each
        time. The difference of two has no `s²` any more: it is a symmetric encryption of zero. Each is taken from the
        one after it, and none leaves this ring. So what does leave it are differences of samples of learning with
        errors, which are as random as the samples are. Were all taken from the same one, its noise would be in every
        message, and weigh as much as there are messages in a sum; so it is in two, with opposite signs.

        Args:
            values: one complex number a slot.
            scale: the same for all messages.

        Raises:
            Fault: there is no key that was made here, the profile has more data primes than one, or `encode` refuses.
        """
        self._need_own_keys()
        if self.profile.levels > 1:
            raise Fault("Several messages are encrypted under the secret key over one data prime alone.")
        encoded = self.encode(values, scale)
        before = self._last_sample or self._sample(scale)
        self._last_sample = self._sample(scale)
        sealed = Ciphertext(PyCtxt(copy_ctxt=self._last_sample._held))
        self._pyfhel.sub(sealed._held, before._held)
        self.add_plain(sealed, encoded)
        return self.save(sealed)

    def load(self, data: bytes, scale: float, primes: int = 0) -> Ciphertext:
        """Read a ciphertext that came over the wire.

        Args:
            data: what came.
            scale: that it must have.
            primes: how many data primes it must be over; all when 0.

        Raises:
            Incorrect: its length is not the profile's, SEAL refuses it, or it is not of the scale and size expected.
        """
        if len(data) != (self.profile.level_bytes(primes) if primes else self.profile.ciphertext_bytes):
            raise Incorrect("A ciphertext has the wrong length for its profile.")
        try:
            loaded = Ciphertext(PyCtxt(pyfhel=self._pyfhel, bytestring=data, scheme="ckks"))
            fits = loaded._held.size() == 2 and loaded._held.scale == scale
        except (RuntimeError, ValueError, MemoryError) as error:
            raise Incorrect("A ciphertext cannot be read.") from error
        if not fits:
            raise Incorrect("A ciphertext is not what its profile says.")
        return loaded

    def multiply(self, sealed: Ciphertext, plain: Plaintext) -> None:
        """Multiply in place; nobody but the caller tracks that the scale is now the product's."""
        self._pyfhel.multiply_plain(sealed._held, plain)

    def product(self, sealed: Ciphertext, plain: Plaintext) -> Ciphertext:
        """Multiply into a new ciphertext. SEAL refuses a plaintext that is zero everywhere."""
        return Ciphertext(self._pyfhel.multiply_plain(sealed._held, plain, in_new_ctxt=True))

    def add(self, sealed: Ciphertext, other: Ciphertext) -> None:
        """Add in place; both have the same scale, or SEAL refuses."""
        self._pyfhel.add(sealed._held, other._held)

    def add_plain(self, sealed: Ciphertext, plain: Plaintext) -> None:
        """Add in place."""
        self._pyfhel.add_plain(sealed._held, plain)

    def add_rotated(self, sealed: Ciphertext, step: int) -> None:
        """Add to each slot the slot `step` places on.

        Raises:
            Incorrect: the rotation keys are not here, or not for this step.
        """
        if self._pyfhel.is_rotate_key_empty():
            raise Incorrect("The evaluation keys are missing.")
        try:
            rotated = Ciphertext(self._pyfhel.rotate(sealed._held, step, in_new_ctxt=True))
        except (RuntimeError, ValueError) as error:
            raise Incorrect("The evaluation keys are not for the steps of this panel.") from error
        self.add(sealed, rotated)

    def save(self, sealed: Ciphertext) -> bytes:
        """Serialise, uncompressed: ciphertexts do not compress, and an exact length can be checked."""
        return bytes(sealed._held.to_bytes("none"))

    def decrypt(self, sealed: Ciphertext) -> Complex:
        """Decrypt and decode. The result is precise enough to give the key away: it must be rounded at once.

        Raises:
            Fault: there is no secret key here.
        """
        self._need_secret_key()
        opened: Complex = self._pyfhel.decryptComplex(sealed._held)
        return opened

    def _sample(self, scale: float) -> Ciphertext:
        """A new relinearisation key, which this profile has one of, as the ciphertext that it is."""
        self._pyfhel.relinKeyGen()
        key = bytes(self._pyfhel.to_bytes_relin_key("none"))
        return self._of_data_primes(key[-self.profile.public_key_bytes :], scale)

    def _of_data_primes(self, key: bytes, scale: float) -> Ciphertext:
        """What is a ciphertext over all primes, over the data primes alone.

        It lies as a ciphertext does: after the header two polynomials, prime by prime, the key-switching prime last.
        """
        header = _header(self.profile, scale)
        words = np.frombuffer(key, dtype="<u8", offset=len(header)).reshape(2, -1, self.profile.degree)
        return self.load(header + words[:, :-1].tobytes(), scale)

    @staticmethod
    def _load_key(load: Callable[[bytes], object], data: bytes, length: int, what: str = "An evaluation key") -> None:
        """Load a serialised key of exactly that length; no key is of length 0."""
        if not length or len(data) != length:
            raise Incorrect(f"{what} has the wrong length for its profile.")
        try:
            load(data)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise Incorrect(f"{what} cannot be read.") from error

    def _need_public_key(self) -> None:
        if self._pyfhel.is_public_key_empty():
            raise Fault("There is no key to seal with.")

    def _need_own_keys(self) -> None:
        self._need_secret_key()
        if not self._made_its_keys:
            raise Fault("Evaluation keys are made together with the key that opens, not of one that was loaded.")

    def _need_secret_key(self) -> None:
        if not self.holds_secret_key:
            raise Fault("There is no key to open with.")


@cache
def _header(profile: Profile, scale: float) -> bytes:
    """What comes before the words of a ciphertext over all data primes: always the same."""
    ring = Ring(profile)
    ring._pyfhel.keyGen()
    nothing = ring._pyfhel.encodeComplex(np.zeros(profile.slots, dtype=np.complex128), scale=scale)
    return bytes(ring._pyfhel.encryptPtxt(nothing).to_bytes("none")[: profile.level_bytes(0)])
