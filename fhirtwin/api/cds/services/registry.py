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
from fhirtwin.api.cds.answers import response_rules
from fhirtwin.api.cds.hooks import Hook, hook
from fhirtwin.api.cds.service import Service
from fhirtwin.errors import Incorrect
from fhirtwin.intake import templates
from fhirtwin.intake.templates import Template

GROUP: Final = "fhirtwin.hooks"
"""Entry-point group; each entry names a `Service`."""

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


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
        Incorrect: what is no `Service`, an id that is no part of an address or that another has, a hook
            that is neither known nor of a reverse-domain name, a budget that is none, or a prefetch template outside of
            what CDS Hooks defines and recommends.
    """
    found: dict[str, Service] = {}
    for service in candidates:
        if not isinstance(service, Service):
            raise Incorrect(f"What is registered under {GROUP} must be a fhirtwin.api.cds.service.Service.")
        if not _ID.fullmatch(service.id):
            raise Incorrect(f"CDS service {service.id!r} refused: an id is lower-case letters, digits and hyphens.")
        if service.id in found:
            raise Incorrect(f"CDS service {service.id} refused: another has the same id.")
        for fault in _faults(service):
            raise Incorrect(f"CDS service {service.id} refused: {fault}.")
        found[service.id] = service
    return dict(sorted(found.items()))


def _faults(service: Service) -> Iterator[str]:
    """Tell what breaks the rules of discovery; clients send an illegal template as it stands, or not at all."""
    hooks = {name: hook(name) for name in service.hooks}
    if not hooks or len(hooks) != len(service.hooks):
        yield "it must be for at least one hook, and for each once"
    for name, found in hooks.items():
        if found is None:
            yield f"{name!r} is no hook that is known; a hook of your own has a reverse-domain name"
    if not service.title.strip() or not service.description.strip():
        yield "it must have a title and a description"
    if service.budget is not None and not service.budget > 0:
        yield "its budget must be more than 0 seconds"
    if service.extension and response_rules.holds_nothing(service.extension):
        yield "its extension must not hold null, nor anything empty"
    known = {name: found for name, found in hooks.items() if found is not None}
    for key, template in service.prefetch.items():
        yield from (f"prefetch template `{key}` {fault}" for fault in _template_faults(key, template, known))


def _template_faults(key: str, template: Template, hooks: Mapping[str, Hook]) -> Iterator[str]:
    if not _KEY.fullmatch(key):
        yield "has a key that is not letters, digits and hyphens"
    if not hooks.keys() >= set(template.hooks):
        yield "is for a hook that the service is not for"
    served = [found for name, found in hooks.items() if template.serves(name)]
    if served:
        tokens = frozenset.intersection(*(found.tokens for found in served))
        references = frozenset.intersection(*(found.references for found in served))
        yield from templates.faults(template, tokens, references)


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
