"""Which CDS services there are: those in this folder, and those other packages register under `fhirtwin.hooks`.

Both pass the same gate. Services are kept by id, never by hook: one hook has many services.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Any, Final

from fhirtwin.api.cds import services as folder
from fhirtwin.api.cds.service import Service
from fhirtwin.errors import Incorrect
from fhirtwin.fhir.validator import is_resource_type
from fhirtwin.intake.prefetch import Template

GROUP: Final = "fhirtwin.hooks"
"""Entry-point group; each entry names a `Service`."""

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_TOKEN: Final = re.compile(r"\{\{(context\.[A-Za-z]+|user(Practitioner|PractitionerRole|Patient|RelatedPerson)Id)\}\}")
_QUERY: Final = re.compile(r"[A-Za-z]+(/[A-Za-z0-9.-]+|\?[A-Za-z_][^\s{}]*)")
_LONGEST_QUERY: Final = 512


@cache
def all_services() -> Mapping[str, Service]:
    """Every service of this installation, by id, in the order of their ids.

    Raises:
        Incorrect: one of them does not pass the gate; the text names it.
    """
    return admit((*_built_in(), *_registered()))


def admit(candidates: Iterable[Any]) -> dict[str, Service]:
    """Pass services through the gate.

    Raises:
        Incorrect: what is no `Service`, an id that is no part of an address or that another has, or a prefetch template
            that is no plain FHIR read or search with tokens of CDS Hooks 2.0.
    """
    found: dict[str, Service] = {}
    for service in candidates:
        if not isinstance(service, Service):
            raise Incorrect(f"What is registered under {GROUP} must be a fhirtwin.api.cds.service.Service.")
        if not _ID.fullmatch(service.id):
            raise Incorrect(f"CDS service {service.id!r} refused: an id is lower-case letters, digits and hyphens.")
        if service.id in found:
            raise Incorrect(f"CDS service {service.id} refused: another has the same id.")
        for key, template in service.prefetch.items():
            _check_template(service, key, template)
        found[service.id] = service
    return dict(sorted(found.items()))


def _check_template(service: Service, key: str, template: Template) -> None:
    """Hold a template to what CDS Hooks 2.0 defines; clients send anything else as it stands, or not at all."""
    where = f"CDS service {service.id} refused: prefetch template `{key}`"
    if not _KEY.fullmatch(key):
        raise Incorrect(f"{where} has a key that is not letters, digits and hyphens.")
    if not is_resource_type(template.type):
        raise Incorrect(f"{where} does not start with a resource type of R4.")
    if len(template.query) > _LONGEST_QUERY:
        raise Incorrect(f"{where} is longer than {_LONGEST_QUERY} characters, which some servers refuse in an address.")
    if not _QUERY.fullmatch(_TOKEN.sub("x", template.query)):
        raise Incorrect(f"{where} is no FHIR read or search, or has a token that CDS Hooks 2.0 does not define.")


def _built_in() -> Iterator[Any]:
    for module in iter_modules(folder.__path__):
        if module.name != "registry":
            yield import_module(f"{folder.__name__}.{module.name}").SERVICE


def _registered() -> Iterator[Any]:
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            yield entry.load()
        except (ImportError, AttributeError) as error:
            raise Incorrect(f"Entry point {entry.name} of {GROUP} ({entry.value}) cannot be loaded.") from error
