"""Which mappers there are: those in this folder, and those other packages register under `fhirtwin.mappers`.

Both pass the same gate. A resource type has one mapper, so that what a resource means does not depend on an order.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

from fhirtwin.errors import Fault
from fhirtwin.terms.facts import CODES, FLAGS, GENES, LISTS, UNITS
from fhirtwin.twin import mappers as folder
from fhirtwin.twin.mapper import Mapper, Resource
from fhirtwin.twin.state import Mapped, Source

GROUP: Final = "fhirtwin.mappers"
VOCABULARY: Final = frozenset(
    {*UNITS, *CODES, *LISTS, *GENES, *(name for name, groups in FLAGS.items() if groups)} - {"age"}
)
"""Every name a mapper may give a fact; age and the other derived ones are `fhirtwin.twin.derived`'s."""


@cache
def all_mappers() -> Mapping[str, Mapper]:
    """Give every mapper by resource type, built-in ones and registered ones.

    Raises:
        Fault: one does not pass the gate.
    """
    return gate((*_built_in(), *_registered()))


def gate(candidates: Iterable[Any]) -> dict[str, Mapper]:
    """Check mappers before any of them is used; `fhirtwin.testing.check_mapper` asks much more of each.

    Args:
        candidates: what modules and entry points export as `MAPPER`.

    Returns:
        Mappers by resource type.

    Raises:
        Fault: one is not a `Mapper`, makes a fact it may not make, or reads a type that another reads.
    """
    found: dict[str, Mapper] = {}
    for mapper in candidates:
        if not isinstance(mapper, Mapper):
            raise Fault(f"what is registered under {GROUP} must be a fhirtwin.twin.mapper.Mapper")
        unknown = mapper.facts - VOCABULARY
        if unknown:
            raise Fault(f"the mapper of {mapper.type} makes facts that are derived or not known: {sorted(unknown)}")
        if mapper.type in found:
            raise Fault(f"two mappers read {mapper.type}; a resource type has one")
        found[mapper.type] = mapper
    return found


def map_resource(resource: Resource, source: Source) -> Mapped:
    """Make facts of one resource.

    Args:
        resource: a decoded, structurally valid resource.
        source: where it came from; the facts point at it.

    Returns:
        Facts, and what was seen and not used; nothing at all for a type that no mapper reads.
    """
    mapper = all_mappers().get(str(resource.get("resourceType")))
    return mapper.read(resource, source) if mapper else Mapped()


def map_all(found: Iterable[tuple[Source, Resource]]) -> Iterator[tuple[Source, Mapped]]:
    """Make facts of several, each with where it came from."""
    return ((source, map_resource(resource, source)) for source, resource in found)


def _built_in() -> Iterator[Any]:
    for module in pkgutil.iter_modules(folder.__path__):
        if module.name != "registry":
            yield import_module(f"{folder.__name__}.{module.name}").MAPPER


def _registered() -> Iterator[Any]:
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        yield entry.load()
