"""The twin: what is known of one patient, each fact with where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple

LOCAL = ""
"""Origin of what this server stores itself."""


@dataclass(frozen=True, slots=True, order=True)
class PatientKey:
    """Who: an id means something only together with the server that gave it.

    Attributes:
        origin: `LOCAL`, or the FHIR base URL of the server the patient comes from, without a slash at the end.
        id: logical id of the Patient there.
    """

    origin: str
    id: str

    @property
    def reference(self) -> str:
        """How this server refers to the Patient: absolutely, but for its own."""
        path = f"Patient/{self.id}"
        return path if self.origin == LOCAL else f"{self.origin}/{path}"


class Source(NamedTuple):
    """The resource a fact was read from."""

    origin: str
    type: str
    id: str
    version: str = ""

    @property
    def reference(self) -> str:
        """Versioned where a version is known; absolute unless the origin is this server."""
        path = f"{self.type}/{self.id}" + (f"/_history/{self.version}" if self.version else "")
        return f"{self.origin}/{path}" if self.origin else path


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a patient.

    Attributes:
        name: one of `fhirtwin.terms.facts`.
        value: in `unit` (canonical for that name); flags are bool; codes and dates are str.
        unit: UCUM; empty for flags, codes and dates.
        time: FHIR date or dateTime the fact stands for, as text; empty when the source has none.
        sources: at least one.
        code, system, display: the coding it was read by.
        note: for example `converted from mmol/L` or `calculated (CKD-EPI 2021)`.
    """

    name: str
    value: Decimal | bool | str
    sources: tuple[Source, ...]
    unit: str = ""
    time: str = ""
    end: str = ""
    """End of the period a condition, procedure or medicine stands for (abatement, stop), when known."""
    active: bool = True
    """False for what was true once: a resolved condition, a stopped medicine."""
    system: str = ""
    code: str = ""
    display: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unused:
    """A resource, or part of one, that was seen and not used, and why. The reason carries no patient data."""

    source: Source
    reason: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a mapper makes of one resource."""

    facts: tuple[Fact, ...] = ()
    unused: tuple[Unused, ...] = ()


@dataclass(frozen=True)
class TwinState:
    """Stage 3's product. Facts are in a canonical order, so equal knowledge is an equal state.

    Attributes:
        version: grows by one whenever a stored resource changed a fact; 0 for a patient not stored.
        lists: resource types of problem and medication lists that were really obtained, for the rule that no record
            may count as no (`Condition`, `Procedure`, `MedicationRequest`, `MedicationStatement`).
        reference: how to refer to the Patient (relative when stored here, else absolute).
    """

    patient: PatientKey
    version: int
    facts: tuple[Fact, ...]
    lists: frozenset[str] = frozenset()
    unused: tuple[Unused, ...] = ()
    reference: str = ""

    def named(self, *names: str) -> tuple[Fact, ...]:
        """Facts of these names, in canonical order."""
        if len(names) == 1:
            return self._by_name.get(names[0], ())
        return tuple(f for f in self.facts if f.name in names)

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[Fact, ...]]:
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            found.setdefault(fact.name, []).append(fact)
        return {name: tuple(facts) for name, facts in found.items()}


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """Stage 2's product: one version of one resource, as the store keeps it.

    Attributes:
        data: the client's bytes, with id, meta and resolved references spliced in.
        last_updated: FHIR instant.
    """

    type: str
    id: str
    version: int
    last_updated: str
    data: bytes
    deleted: bool = False
    resource: dict[str, Any] | None = None
    """The parsed form, when the caller has it already."""


def in_order(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Sort by name, time, source: the canonical order of `TwinState.facts`."""
    return tuple(sorted(facts, key=lambda f: (f.name, f.time, f.sources, str(f.value), f.code)))
