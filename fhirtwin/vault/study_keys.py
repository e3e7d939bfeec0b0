"""Secrets of a study as files: the coordinator's, sealed under a passphrase, and what each site is handed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from fhirtwin import keyfile
from fhirtwin.errors import Incorrect
from fhirtwin.studies.study import KEY_BYTES, Study
from fhirtwin.vault.sealing import sealed, sealing_key, unsealed
from fhirtwin.vault.studies import Coordinator, Invitation

_MAGIC: Final = b"FTk1"
_SALT_BYTES = 16
_LONGEST = 1 << 20


class _Handed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    form: str
    study: str
    site: str
    shared: str
    own: str


_FORM: Final = "fhirtwin invitation 1"


def check(passphrase: str) -> None:
    """Refuse a passphrase that is too short.

    Raises:
        Incorrect: it is.
    """
    if len(passphrase) < keyfile.SHORTEST_PASSPHRASE:
        raise Incorrect(f"The passphrase must have at least {keyfile.SHORTEST_PASSPHRASE} characters.")


def keep(path: Path, coordinator: Coordinator, study: Study, passphrase: str) -> None:
    """Write the coordinator's secrets to a new file of mode 0600, sealed by AES-256-GCM under the passphrase.

    Raises:
        Incorrect: the passphrase is too short, or the file exists.
    """
    check(passphrase)
    salt = os.urandom(_SALT_BYTES)
    keyfile.write(path, _MAGIC + salt + sealed(sealing_key(passphrase, salt), coordinator.kept(), study.digest))


def coordinator(path: Path, study: Study, passphrase: str) -> Coordinator:
    """Read the coordinator's secrets.

    Raises:
        Incorrect: there is no such file, others can read it, the passphrase is wrong, or it is of another study.
    """
    data = keyfile.content(path, _LONGEST, "it is where `fhirtwin aggregate new` made the study, until that is done")
    head = len(_MAGIC) + _SALT_BYTES
    if not data.startswith(_MAGIC) or len(data) < head:
        raise Incorrect(f"{path} is no key of a study.")
    kept = unsealed(sealing_key(passphrase, data[len(_MAGIC) : head]), data[head:], study.digest)
    if kept is None:
        raise Incorrect(f"{path} does not open: the passphrase is wrong, or the key is of another study.")
    return Coordinator.restored(kept, study)


def invite(path: Path, invitation: Invitation) -> None:
    """Write what one site is handed to a new file of mode 0600."""
    handed = _Handed(_FORM, invitation.study.hex(), invitation.site, invitation.shared.hex(), invitation.own.hex())
    keyfile.write(path, msgspec.json.encode(handed) + b"\n")


def invitation(path: Path) -> Invitation:
    """Read what this site was handed.

    Raises:
        Incorrect: it is no invitation, or others can read it.
    """
    data = keyfile.content(path, _LONGEST, "the coordinator of the study hands it to you")
    try:
        handed = msgspec.json.decode(data, type=_Handed)
        study, shared, own = (bytes.fromhex(text) for text in (handed.study, handed.shared, handed.own))
    except (msgspec.DecodeError, ValueError):
        raise Incorrect(f"{path} is no invitation to a study.") from None
    if handed.form != _FORM or (len(study), len(shared), len(own)) != (KEY_BYTES,) * 3:
        raise Incorrect(f"{path} is no invitation that this version reads.")
    return Invitation(study, handed.site, shared, own)
