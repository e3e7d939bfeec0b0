"""What is known of a client, and what a trust file may say of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fhirtwin.api.cds.trust import keys
from fhirtwin.api.cds.trust.keys import Key
from fhirtwin.api.origins import read_origin
from fhirtwin.errors import Incorrect
from fhirtwin.outbound import Allowed, places

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST: Final = 512
_MOST: Final = 100
_LISTS: Final = ("jku", "tenants", "fhir_servers", "origins")
_FLAGS: Final = ("private_network", "stored_patients")
_MEMBERS: Final = frozenset({"name", "iss", "jwks", *_LISTS, *_FLAGS})


@dataclass(frozen=True, slots=True)
class Client:
    """An EHR that may call.

    Attributes:
        name: ours for it, in logs and as a caller's id.
        issuer: its `iss`.
        jku: addresses of key sets that its tokens may name, letter by letter.
        jwks: its key set by value; then none is fetched.
        tenants: the `tenant` that a token must have one of; none registered: a token must have none.
        fhir_servers: base URLs that a call of it may name as `fhirServer`.
        origins: origins of browsers that may call.
        private_network: whether its servers may have addresses of a private network.
        stored_patients: whether its calls may be about patients that are stored here.
        keys: those of `jwks` that verify.
    """

    name: str
    issuer: str
    jku: tuple[str, ...] = ()
    jwks: Mapping[str, Any] | None = None
    tenants: tuple[str, ...] = ()
    fhir_servers: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    private_network: bool = False
    stored_patients: bool = False
    keys: Mapping[str, Key] = field(default_factory=dict, compare=False, repr=False)

    def servers(self) -> tuple[Allowed, ...]:
        """The FHIR servers that may be called for it."""
        return tuple(Allowed(url, self.private_network) for url in self.fhir_servers)


def read(given: Any, place: str) -> Client:
    """Read one client of a trust file.

    Args:
        given: the JSON.
        place: where it stands, for errors: `clients[0]`.

    Raises:
        Incorrect: something is missing, unknown or unusable; the text names the place and what to write there.
    """
    if not isinstance(given, dict):
        raise Incorrect(f"{place} must be an object.")
    if unknown := sorted(given.keys() - _MEMBERS):
        raise Incorrect(f"{place}.{unknown[0]} is not known; there are {', '.join(sorted(_MEMBERS))}.")
    settled: dict[str, Any] = {name: _texts(given.get(name, []), f"{place}.{name}") for name in _LISTS}
    settled |= {name: _flag(given.get(name, False), f"{place}.{name}") for name in _FLAGS}
    _check_urls(settled["jku"], f"{place}.jku")
    _check_urls(settled["fhir_servers"], f"{place}.fhir_servers", local=True)
    for number, origin in enumerate(settled["origins"]):
        read_origin(origin, f"{place}.origins[{number}]")
    jwks, found = _jwks(given.get("jwks"), f"{place}.jwks")
    if not (found or settled["jku"]):
        raise Incorrect(f"{place} has no keys: give `jku`, the address of its key set, or `jwks`, the set itself.")
    name = _text(given.get("name"), f"{place}.name")
    if not _NAME.fullmatch(name):
        raise Incorrect(f"{place}.name must be of letters, digits, dots, hyphens and underscores, 64 at most.")
    return Client(name=name, issuer=_text(given.get("iss"), f"{place}.iss"), jwks=jwks, keys=found, **settled)


def written(client: Client) -> dict[str, Any]:
    """A client as a trust file has it; what is not set is left out."""
    known: dict[str, Any] = {"name": client.name, "iss": client.issuer}
    known |= {name: list(value) for name in _LISTS if (value := getattr(client, name))}
    known |= {"jwks": client.jwks} if client.jwks is not None else {}
    return known | {name: True for name in _FLAGS if getattr(client, name)}


def _text(given: Any, place: str) -> str:
    if not isinstance(given, str) or not given or len(given) > _LONGEST or not given.isprintable():
        raise Incorrect(f"{place} must be text of 1 to {_LONGEST} characters.")
    return given


def _texts(given: Any, place: str) -> tuple[str, ...]:
    if not isinstance(given, list) or len(given) > _MOST:
        raise Incorrect(f"{place} must be a list of {_MOST} texts at most.")
    return tuple(_text(one, f"{place}[{number}]") for number, one in enumerate(given))


def _flag(given: Any, place: str) -> bool:
    if not isinstance(given, bool):
        raise Incorrect(f"{place} must be true or false.")
    return given


def _check_urls(urls: tuple[str, ...], place: str, *, local: bool = False) -> None:
    for number, url in enumerate(urls):
        read_url = places.read(url)
        plain = local and read_url is not None and read_url.scheme == "http" and read_url.is_loopback
        if read_url is None or read_url.query is not None or not (plain or read_url.scheme == "https"):
            raise Incorrect(f"{place}[{number}] must be an https URL without user, query and fragment.")


def _jwks(given: Any, place: str) -> tuple[Mapping[str, Any] | None, Mapping[str, Key]]:
    if given is None:
        return None, {}
    found = keys.usable(given) if isinstance(given, dict) else {}
    if not found:
        raise Incorrect(
            f"{place} has no key that verifies: it must be a JSON Web Key Set with public keys, each with its own "
            "`kid`, EC on P-384 or RSA of 2048 bits and more."
        )
    return given, found
