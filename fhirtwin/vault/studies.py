"""Seals what one site adds to a study, and opens the total of all.

A site has the public key alone, and cannot open even what it sealed. The coordinator opens a total only when its tag
shows that it is the sum of the contributions of just the sites it names (`fhirtwin.studies.tags`), and gets whole
numbers: nothing of the noise, which would tell of the key, is left in them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Never, SupportsIndex

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from fhirtwin.ckks.circuits.circuit import split
from fhirtwin.ckks.context import Ring
from fhirtwin.ckks.profiles import SUMS
from fhirtwin.errors import Fault, Incorrect, Unprocessable
from fhirtwin.studies import tags, wire
from fhirtwin.studies.layout import largest_digit
from fhirtwin.studies.plan import Plan
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import KEY_BYTES, Study
from fhirtwin.studies.wire import Contribution, Total

_REFUSED = (
    "The total is not the sum of the contributions of the sites that it names, each once, or it was damaged; nothing "
    "was opened. Ask the adder to add the sites' files again."
)

Digits = NDArray[np.int64]


@dataclass(frozen=True, slots=True, repr=False)
class Invitation:
    """What the coordinator hands to one site, secretly.

    Attributes:
        study: digest of the study that it is for.
        site: name.
        shared: secret of all sites and the coordinator; the adder must not have it.
        own: secret of this site and the coordinator.
    """

    study: bytes
    site: str
    shared: bytes
    own: bytes

    @property
    def signing(self) -> Ed25519PrivateKey:
        """By which the adder knows this site."""
        return Ed25519PrivateKey.from_private_bytes(
            hmac.digest(self.own, b"fhirtwin aggregate signature", hashlib.sha256)
        )


def seal(study: Study, current: Round, invitation: Invitation, values: Sequence[int]) -> bytes:
    """Seal and sign the statistics of one site.

    Args:
        study: its public key is used.
        current: the round that it is for.
        invitation: of the site.
        values: whole numbers, in the order of the study's statistics.

    Raises:
        Incorrect: the invitation is to another study.
        Fault: a statistic is outside its bounds.
    """
    if invitation.study != study.digest:
        raise Incorrect("The invitation is to another study, or the study file was changed; get both again.")
    ring = Ring(SUMS)
    ring.load_public_key(study.public_key)
    digits = study.layout.digits(values)
    pad = tags.pad(invitation.own, current.binding)
    tag = tags.tag(digits, invitation.shared, [pad], current.binding)
    sealed = b"".join(ring.encrypt(slots, SUMS.input_scale) for slots in study.layout.slots(digits, tag))
    signed = wire.unsigned(Contribution(study.place(invitation.site), sealed), current.binding)
    return signed + invitation.signing.sign(wire.SIGNED + signed)


class Coordinator:
    """Everything secret of a study: the key that opens, and what tells its sites from others.

    Args:
        ring: with the pair of keys.
        signer: 32 bytes; signs rounds.
        shared: secret of all sites.
        owns: secrets of the sites, in the order of the plan.
    """

    def __init__(self, ring: Ring, signer: bytes, shared: bytes, owns: tuple[bytes, ...]) -> None:
        self._ring = ring
        self._signer = signer
        self._shared = shared
        self._owns = owns

    def __repr__(self) -> str:
        return "Coordinator()"

    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise Fault("What opens a total does not leave the process.")

    @classmethod
    def new(cls, plan: Plan) -> Coordinator:
        """With new keys, for a plan."""
        ring = Ring(SUMS)
        ring.make_keys()
        drawn = [secrets.token_bytes(KEY_BYTES) for _ in range(len(plan.sites) + 2)]
        return cls(ring, drawn[0], drawn[1], tuple(drawn[2:]))

    @classmethod
    def restored(cls, kept: bytes, study: Study) -> Coordinator:
        """From what `kept` gave.

        Raises:
            Incorrect: it is of another study.
        """
        head = KEY_BYTES * (len(study.plan.sites) + 2)
        if len(kept) != head + SUMS.secret_key_bytes:
            raise Incorrect("The key is of another study.")
        drawn = [kept[at : at + KEY_BYTES] for at in range(0, head, KEY_BYTES)]
        ring = Ring(SUMS)
        ring.load_keys(kept[head:], study.public_key)
        return cls(ring, drawn[0], drawn[1], tuple(drawn[2:]))

    def kept(self) -> bytes:
        """All that is secret, to be sealed at once and written to a file."""
        return b"".join((self._signer, self._shared, *self._owns)) + self._ring.secret_key()

    def study(self, plan: Plan) -> Study:
        """What everybody may have."""
        signers = tuple(
            self._invitation(b"", name, own).signing for name, own in zip(plan.sites, self._owns, strict=True)
        )
        return Study(
            plan,
            self._ring.public_key(),
            Ed25519PrivateKey.from_private_bytes(self._signer).public_key().public_bytes_raw(),
            tuple(key.public_key().public_bytes_raw() for key in signers),
        )

    def invitations(self, study: Study) -> list[Invitation]:
        """One for each site, to be handed over secretly."""
        return [
            self._invitation(study.digest, name, own) for name, own in zip(study.plan.sites, self._owns, strict=True)
        ]

    def sign(self, current: Round) -> bytes:
        """Sign a round that sites shall answer."""
        return Ed25519PrivateKey.from_private_bytes(self._signer).sign(current.content)

    def open(self, study: Study, current: Round, total: Total) -> tuple[int, ...]:
        """Decrypt a total, check it, and return the statistics of all contributors together.

        Raises:
            Incorrect: it has too few contributors.
            Unprocessable: it is not the sum of the contributions of just these. One text says so whatever the reason,
                so that an adder cannot learn from it by trying.
        """
        wire.enough(len(total.places), study)
        places, noise = self._opened(study, total)
        digits, empty, tag = study.layout.split(places)
        contributors = len(total.places)
        pads = [tags.pad(self._owns[place], current.binding) for place in total.places]
        good = [
            # Written so that a NaN fails.
            bool(noise <= SUMS.tolerance),
            bool(((places >= 0) & (places <= largest_digit(contributors))).all()),
            not empty.any(),
            tag % tags.PRIME == tags.tag(digits, self._shared, pads, current.binding),
        ]
        numbers = study.layout.numbers(digits, contributors)
        bounds = zip(study.statistics, numbers, strict=True)
        good.append(all(contributors * one.low <= number <= contributors * one.high for one, number in bounds))
        good.append(numbers[0] == contributors)
        if not all(good):
            raise Unprocessable(_REFUSED)
        return numbers

    def _opened(self, study: Study, total: Total) -> tuple[Digits, float]:
        """The nearest whole numbers, and how far the furthest was from its own."""
        try:
            parts = split(total.sealed, SUMS.ciphertext_bytes, study.layout.ciphertexts)
            opened = np.concatenate([self._ring.decrypt(self._ring.load(part, SUMS.input_scale)) for part in parts])
        except (Incorrect, RuntimeError, ValueError):
            raise Unprocessable(_REFUSED) from None
        places = np.ascontiguousarray(opened).view(np.float64)
        if not np.isfinite(places).all():
            raise Unprocessable(_REFUSED)
        nearest = np.rint(places)
        return nearest.astype(np.int64), float(np.abs(places - nearest).max())

    def _invitation(self, study: bytes, site: str, own: bytes) -> Invitation:
        return Invitation(study, site, self._shared, own)
