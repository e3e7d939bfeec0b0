"""How contributions and totals travel: binary files of exact length.

    bytes  contribution                        total
    4      b"FTa1"                             b"FTt1"
    32     binding of the round                the same
    2      place of the site, big-endian       number of contributors, big-endian
    2 · k  nothing                             their places, rising
    n      ciphertexts end to end              the same
    64     Ed25519 signature of the site       nothing

The signature covers a label and everything before it. A total has none: its tag says by itself what it is made of.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature

from fhirtwin.errors import Incorrect
from fhirtwin.studies.round import Round
from fhirtwin.studies.study import Study, verifier

SIGNATURE_BYTES: Final = 64
SIGNED: Final = b"fhirtwin aggregate contribution\x00"
_CONTRIBUTION: Final = b"FTa1"
_TOTAL: Final = b"FTt1"
_HEAD: Final = struct.Struct(">4s32sH")


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one site sealed, and who it is."""

    place: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Total:
    """What the adder says is the sum of the contributions of these sites."""

    places: tuple[int, ...]
    sealed: bytes


def contribution_length(study: Study) -> int:
    """Exact length of a contribution."""
    return _HEAD.size + study.contribution_bytes + SIGNATURE_BYTES


def longest_total(study: Study) -> int:
    """Of a total with all sites."""
    return _HEAD.size + 2 * len(study.plan.sites) + study.contribution_bytes


def unsigned(one: Contribution, binding: bytes) -> bytes:
    """A contribution but for its signature."""
    return _HEAD.pack(_CONTRIBUTION, binding, one.place) + one.sealed


def read_contribution(data: bytes, study: Study, current: Round) -> Contribution:
    """Check and read a contribution, which may come from anybody. Nothing of its ciphertexts is parsed.

    Raises:
        Incorrect: its length, its round, its site or its signature are not right.
    """
    if len(data) != contribution_length(study):
        raise Incorrect(
            f"a contribution to the study {study.plan.name} has {contribution_length(study)} bytes, and this has not"
        )
    magic, binding, place = _HEAD.unpack_from(data)
    if magic != _CONTRIBUTION:
        raise Incorrect("this is no contribution")
    if binding != current.binding:
        raise Incorrect("it belongs to another study or another round")
    if place >= len(study.signers):
        raise Incorrect("it is of no site of the study")
    signed, signature = data[:-SIGNATURE_BYTES], data[-SIGNATURE_BYTES:]
    try:
        verifier(study.signers[place]).verify(signature, SIGNED + signed)
    except InvalidSignature:
        raise Incorrect(f"it is not signed by the site {study.plan.sites[place]}, which it says it is of") from None
    return Contribution(place, signed[_HEAD.size :])


def write_total(total: Total, current: Round) -> bytes:
    """A total as a file."""
    count = len(total.places)
    return _HEAD.pack(_TOTAL, current.binding, count) + struct.pack(f">{count}H", *total.places) + total.sealed


def read_total(data: bytes, study: Study, current: Round) -> Total:
    """Check and read a total, which may come from anybody.

    Raises:
        Incorrect: its length, its round or its contributors are not right, or these are too few.
    """
    if not _HEAD.size <= len(data) <= longest_total(study):
        raise Incorrect("The total has the wrong length for its study.")
    magic, binding, count = _HEAD.unpack_from(data)
    if magic != _TOTAL:
        raise Incorrect("This is no total; `fhirtwin aggregate add` makes one of contributions.")
    if binding != current.binding:
        raise Incorrect("The total belongs to another study or another round.")
    head = _HEAD.size + 2 * count
    if len(data) != head + study.contribution_bytes:
        raise Incorrect("The total has the wrong length for its study.")
    places = struct.unpack_from(f">{count}H", data, _HEAD.size)
    if list(places) != sorted(set(places)) or any(place >= len(study.signers) for place in places):
        raise Incorrect("The total names a site twice, or one that is not of the study.")
    enough(len(places), study)
    return Total(places, data[head:])


def enough(contributors: int, study: Study) -> None:
    """Refuse a total of too few.

    Raises:
        Incorrect: it is one.
    """
    least = study.plan.minimum_contributors
    if contributors < least:
        raise Incorrect(
            f"There are {contributors} contributors, and the study {study.plan.name} wants at least {least}; a total "
            "of fewer is neither made nor opened."
        )
