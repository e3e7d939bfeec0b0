"""By which rules resources become facts, as one text: facts that were made by other rules have to be made anew."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from typing import Final

from fhirtwin.terms import concepts, drugs, units
from fhirtwin.terms.facts import CODES, FLAGS, GENES, LISTS, UNITS
from fhirtwin.twin.mappers import registry

_RULES: Final = "4"
"""Raised by who changes what a mapper makes of a resource, where no table below tells it."""


@cache
def form() -> str:
    """A digest of all that decides which facts a resource gives: mappers, tables of codes, units."""
    tables = [[s.fact, s.system, sorted(s.rows)] for s in concepts.all_sets()]
    mappers = {name: sorted(mapper.facts) for name, mapper in registry.all_mappers().items()}
    scales = {name: {unit: str(scale) for unit, scale in taken.items()} for name, taken in units.SCALES.items()}
    told = [_RULES, UNITS, CODES, FLAGS, LISTS, GENES, mappers, tables, scales, dict(drugs.INGREDIENTS)]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
