"""What every kind of circuit says of how it is evaluated, before there is a model of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fhirtwin.ckks.profiles import MASKED, ROTATING, SPARSE, Profile
from fhirtwin.errors import Incorrect


@dataclass(frozen=True, slots=True)
class Declared:
    """One kind of circuit.

    Attributes:
        profile: the pinned parameters.
        depth: the most products, with weights or of a ciphertext with itself, that follow one upon another.
        packing: how numbers lie in the slots of ciphertexts, in words.

    Raises:
        Incorrect: the profile has no room for so many products.
    """

    profile: Profile
    depth: int
    packing: str

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= self.profile.levels:
            raise Incorrect(
                f"Profile {self.profile.name} has room for {self.profile.levels} products, one upon another."
            )


OF_PANELS: Final = {
    one.profile.name: one
    for one in (
        Declared(
            MASKED,
            1,
            "two features a slot, as a complex number, and a slot for every pair of features in each row; a probe "
            "beside it in as many. The vault adds up",
        ),
        Declared(
            ROTATING,
            1,
            "two features a slot, as a complex number, in lanes of a power of two, copied until all slots are full; a "
            "probe beside it. The engine adds up by rotating",
        ),
        Declared(
            SPARSE,
            1,
            "two features a slot, as a complex number, and a slot only for pairs that a row weighs; check lanes after "
            "them. The vault adds up",
        ),
    )
}
"""Of what is evaluated as a panel, by the names of profiles."""
