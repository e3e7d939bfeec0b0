"""One gateway as an engine that serves many knows it: its name, its secret, and what it may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from fhirtwin.errors import Forbidden, Incorrect

EVERYTHING: Final = "everything"
PANEL: Final = "panel"
TABLES: Final = "tables"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a gateway may have. None says: without limit.

    Attributes:
        bytes_per_minute: of messages that it sends.
        seconds_per_minute: of evaluation, one core's.
        answers_per_day: of each model, from midnight to midnight UTC. Outputs are what a model is copied from.
    """

    bytes_per_minute: int | None = None
    seconds_per_minute: float | None = None
    answers_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """One gateway.

    Attributes:
        name: what the operator of the engine calls it.
        key: the secret that signs this call's messages; it opens no ciphertext.
        limits: how much it may have.
        models: what it may ask for: `everything`, `panel`, `tables`, or digests of models.
    """

    name: str
    key: bytes
    limits: Limits = Limits()
    models: frozenset[str] = frozenset({EVERYTHING})

    def may_ask(self, digest: str, kind: str) -> bool:
        """Whether a model is open to it.

        Args:
            digest: of the model.
            kind: `panel`, `tables`, or another word for what is opened by its digest alone.
        """
        return not self.models.isdisjoint({EVERYTHING, kind, digest})

    def require(self, digest: str, kind: str) -> None:
        """Return when a model is open to it.

        Raises:
            Forbidden: it is not.
        """
        if not self.may_ask(digest, kind):
            raise Forbidden("This gateway may not ask for this model.")


def check_name(name: str) -> str:
    """Return a name that a tenant may have.

    Raises:
        Incorrect: it is none.
    """
    if not _NAME.fullmatch(name):
        raise Incorrect("A tenant's name is at most 40 small letters, digits and hyphens, and begins with no hyphen.")
    return name


def read_rules(given: object, where: str) -> tuple[Limits, frozenset[str]]:
    """Read what a tenant may have.

    Args:
        given: of its file, as JSON was read; each limit is a number, or null for none.
        where: names the file in errors.

    Raises:
        Incorrect: something is missing, unknown or of the wrong kind.
    """
    names = [field.name for field in fields(Limits)]
    if not isinstance(given, dict) or set(given) != {*names, "models"}:
        raise Incorrect(f"{where} must be a JSON object of {', '.join(names)} and models, with null for no limit.")
    for name in names:
        if given[name] is not None and not _is_limit(name, given[name]):
            raise Incorrect(f"{where}: {name} must be a positive number, or null for no limit.")
    return Limits(**{name: given[name] for name in names}), _models(given["models"], where)


def written_rules(limits: Limits, models: frozenset[str]) -> Mapping[str, Any]:
    """What `read_rules` reads."""
    return {field.name: getattr(limits, field.name) for field in fields(Limits)} | {"models": sorted(models)}


def _is_limit(name: str, value: object) -> bool:
    kinds = (int, float) if name == "seconds_per_minute" else (int,)
    return isinstance(value, kinds) and not isinstance(value, bool) and 0 < value < 2**53


def _models(given: object, where: str) -> frozenset[str]:
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        raise Incorrect(f"{where}: models must be a list of texts, of at least one.")
    for one in given:
        if one not in (EVERYTHING, PANEL, TABLES) and not _DIGEST.fullmatch(one):
            raise Incorrect(f"{where}: models are `{EVERYTHING}`, `{PANEL}`, `{TABLES}`, or digests of 64 hex digits.")
    return frozenset(given)
