"""A study: a plan with the key that all seal under and the keys that tell the sites apart. Everybody may have it."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fhirtwin.ckks.profiles import SUMS
from fhirtwin.errors import Incorrect
from fhirtwin.studies import statistics
from fhirtwin.studies.layout import Layout
from fhirtwin.studies.plan import Plan
from fhirtwin.studies.statistics import Statistic

FORM: Final = "fhirtwin study 1"
MOST_BYTES: Final = 4 * 2**20
KEY_BYTES: Final = 32


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    form: str
    profile: str
    plan: Plan
    public_key: str
    coordinator: str
    sites: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Study:
    """What sites, adder and coordinator of one study have in common.

    Attributes:
        plan: was checked.
        public_key: that contributions are sealed under, serialised.
        coordinator: Ed25519 key that signs rounds.
        signers: Ed25519 keys of the sites, in the order of the plan.
    """

    plan: Plan
    public_key: bytes
    coordinator: bytes
    signers: tuple[bytes, ...]

    @cached_property
    def statistics(self) -> tuple[Statistic, ...]:
        """What each site seals."""
        return statistics.of(self.plan)

    @cached_property
    def layout(self) -> Layout:
        """How that lies in slots."""
        return Layout(self.statistics)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the file: what everything of this study is bound to."""
        return hashlib.sha256(write(self)).digest()

    @property
    def contribution_bytes(self) -> int:
        """Exact length of the ciphertexts of one contribution, and of a total."""
        return self.layout.ciphertexts * SUMS.ciphertext_bytes

    def place(self, site: str) -> int:
        """Where a site stands in the plan.

        Raises:
            Incorrect: it is not of this study.
        """
        try:
            return self.plan.sites.index(site)
        except ValueError:
            raise Incorrect(f"The study {self.plan.name} has no site of that name.") from None


def write(study: Study) -> bytes:
    """The study as a file: the same bytes for the same study."""
    file = _File(
        FORM,
        SUMS.name,
        study.plan,
        b64encode(study.public_key).decode(),
        study.coordinator.hex(),
        tuple(key.hex() for key in study.signers),
    )
    return msgspec.json.encode(file) + b"\n"


def read(data: bytes) -> Study:
    """Read and check a study file, which may come from anybody.

    Raises:
        Incorrect: it is none, or its plan or its parameters are not such as may be used.
    """
    if len(data) > MOST_BYTES:
        raise Incorrect(f"A study file has at most {MOST_BYTES >> 20} MiB.")
    try:
        file = msgspec.json.decode(data, type=_File)
        public_key = b64decode(file.public_key, validate=True)
        coordinator, signers = bytes.fromhex(file.coordinator), tuple(bytes.fromhex(key) for key in file.sites)
    except (msgspec.DecodeError, ValueError):
        raise Incorrect("This is no study file; `fhirtwin aggregate new` writes one from a plan.") from None
    if (file.form, file.profile) != (FORM, SUMS.name):
        raise Incorrect(f"The study has another form or other parameters than this version ({FORM}, {SUMS.name}).")
    file.plan.check()
    if len(public_key) != SUMS.public_key_bytes:
        raise Incorrect("The public key of the study has the wrong length for its parameters.")
    if len(signers) != len(file.plan.sites) or len(set(signers)) != len(signers):
        raise Incorrect("A study has one key for each of its sites, and no key twice.")
    for key in (coordinator, *signers):
        verifier(key)
    study = Study(file.plan, public_key, coordinator, signers)
    _ = study.layout  # which refuses what does not fit
    if write(study) != data:
        raise Incorrect("The study file was changed after it was written; get it again.")
    return study


def verifier(key: bytes) -> Ed25519PublicKey:
    """An Ed25519 key that verifies.

    Raises:
        Incorrect: it is none.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(key)
    except ValueError:
        raise Incorrect("A key of the study is no Ed25519 key.") from None
