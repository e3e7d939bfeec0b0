"""A ring for circuits of more than one level: squares, rescaling and going down levels.

Pyfhel counts levels in an attribute that it forgets when it serialises, and its operators align by it; so none of them
is used here. Scales are what SEAL itself keeps, and the caller knows them beforehand: `scales`.
"""

from __future__ import annotations

from Pyfhel import PyCtxt

from fhirtwin.ckks.context import Ciphertext, Complex, Plaintext, Ring
from fhirtwin.ckks.profiles import Profile
from fhirtwin.errors import Fault, Incorrect


class LevelledRing(Ring):
    """A `Ring` with levels. Level 0 has all data primes, each further level one less."""

    @property
    def primes(self) -> tuple[int, ...]:
        """The data primes, the one that is left last first. SEAL finds them from their sizes, everywhere the same."""
        return tuple(int(prime) for prime in self._pyfhel.qi[:-1])

    @property
    def level_count(self) -> int:
        """How many levels there are."""
        return len(self.profile.modulus_bits) - 1

    def encode_at(self, values: Complex, scale: float, level: int) -> Plaintext:
        """Encode one number a slot, for use at a level.

        Raises:
            Fault: there is no such level, or `encode` refuses.
        """
        if not 0 <= level < self.level_count:
            raise Fault("There is no such level.")
        plain = self.encode(values, scale)
        for _ in range(level):
            plain = Plaintext(self._pyfhel.mod_switch_to_next_ptxt(plain, False))
        return plain

    def copy(self, sealed: Ciphertext) -> Ciphertext:
        """The same once more."""
        return Ciphertext(PyCtxt(copy_ctxt=sealed._held))

    def rescale(self, sealed: Ciphertext) -> None:
        """Divide by the last prime that is left, and go a level down, in place."""
        self._pyfhel.rescale_to_next(sealed._held)

    def go_down(self, sealed: Ciphertext, levels: int) -> None:
        """Go so many levels down with the scale as it is, in place."""
        for _ in range(levels):
            self._pyfhel.mod_switch_to_next_ctxt(sealed._held)

    def square(self, sealed: Ciphertext) -> None:
        """Square each slot, in place, and bring the product back to two polynomials.

        Raises:
            Incorrect: the key for that is not here.
        """
        if self._pyfhel.is_relin_key_empty():
            raise Incorrect("The evaluation keys are missing.")
        self._pyfhel.square(sealed._held)
        self._pyfhel.relinearize(sealed._held)

    def make_relinearisation_key(self) -> bytes:
        """Make the key that squares need, and return it serialised.

        Raises:
            Fault: there is no secret key to make it from, or it was loaded.
        """
        self._need_own_keys()
        self._pyfhel.relinKeyGen()
        return bytes(self._pyfhel.to_bytes_relin_key("none"))

    def load_relinearisation_key(self, data: bytes) -> None:
        """Load the key for squares that a caller sent.

        Raises:
            Incorrect: its length is not the profile's, or SEAL refuses it.
        """
        self._load_key(self._pyfhel.from_bytes_relin_key, data, self.profile.relinearisation_key_bytes)


def scales(profile: Profile, primes: tuple[int, ...]) -> tuple[float, ...]:
    """Scales of a network's sums in its three layers, the arithmetic being SEAL's to the last bit.

    Args:
        profile: says the scales of features and weights.
        primes: the data primes.

    Returns:
        Of the sums of layers 1, 2 and 3, before rescaling.
    """
    found = [profile.input_scale * profile.weight_scale]
    for last, then in ((4, 3), (2, 1)):
        rescaled = found[-1] / primes[last]
        found.append(rescaled * rescaled / primes[then] * profile.weight_scale)
    return tuple(found)
