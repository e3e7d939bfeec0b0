"""Which value sets, code systems and concept maps are here, and what terminology operations ask of them.

Looked for in this order: what is stored, the project's own (`profiles/`), and the value sets of R4's required bindings,
whose codes this program has without their displays.

*Source*: http://hl7.org/fhir/R4/terminology-service.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec

from fhirtwin import shipped
from fhirtwin.access.visibility import View
from fhirtwin.errors import Incorrect, NotFound
from fhirtwin.fhir import codec
from fhirtwin.fhir.tables import FHIR_VERSION, VALUE_SETS
from fhirtwin.fhir.terminology.codesystem import CodeSystem
from fhirtwin.fhir.terminology.expansion import Expander
from fhirtwin.interactions import read
from fhirtwin.interactions.operation import Call
from fhirtwin.store import Reader

Json = Mapping[str, Any]

_V3: Final = "v3-"


class _Canonical(msgspec.Struct):
    url: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Coded:
    """What is asked about: a code in a system, and how the caller shows it."""

    system: str
    code: str
    display: str = ""
    version: str = ""


class Terminology:
    """What is known within one transaction, as far as the caller may see it."""

    def __init__(self, reader: Reader, sight: View) -> None:
        self._reader = reader
        self._sight = sight
        self._stored: dict[str, dict[str, list[tuple[str, bytes]]]] = {}
        """By type and URL: version and bytes of what is stored; each type is gone through once."""
        self._systems: dict[tuple[str, str], CodeSystem | None] = {}
        self.expander = Expander(self.code_system, self.value_set)

    def find(self, type_: str, canonical: str, version: str = "") -> Json | None:
        """The resource of a canonical URL, `url` or `url|version`; None when it is not here.

        Raises:
            Incorrect: several versions are stored and none is named.
        """
        url, _, named = canonical.partition("|")
        wanted = version or named
        stored = [data for found, data in self._by_url(type_).get(url, ()) if wanted in ("", found)]
        if len(stored) > 1:
            raise Incorrect(f"Several {type_} resources here have this url; name a version: url|version.")
        if stored:
            return codec.reread(stored[0])
        own = (one for one in _own(type_) if one["url"] == url and wanted in ("", one["version"]))
        return next(own, None) or (_of_r4(url, wanted) if type_ == "ValueSet" else None)

    def _by_url(self, type_: str) -> Mapping[str, list[tuple[str, bytes]]]:
        if type_ not in self._stored:
            made: dict[str, list[tuple[str, bytes]]] = {}
            for one in self._reader.each(type_, self._sight):
                canonical = msgspec.json.decode(one.data, type=_Canonical)  # all else is skipped, not made into objects
                made.setdefault(canonical.url, []).append((canonical.version, one.data))
            self._stored[type_] = made
        return self._stored[type_]

    def each(self, type_: str) -> Iterator[Json]:
        """Every resource of a type that is stored, and the project's own."""
        for stored in self._reader.each(type_, self._sight):
            yield codec.reread(stored.data)
        yield from _own(type_)

    def value_set(self, canonical: str) -> Json | None:
        """As `find`, for value sets."""
        return self.find("ValueSet", canonical)

    def code_system(self, url: str, version: str = "") -> CodeSystem | None:
        """The CodeSystem of a URL; None when it is not here.

        Raises:
            Unprocessable: it is here in part only.
        """
        key = (url, version)
        if key not in self._systems:
            found = self.find("CodeSystem", url, version)
            self._systems[key] = CodeSystem(found) if found else None
        return self._systems[key]

    def asked(self, call: Call, type_: str, parameter: str, version: str) -> Json:
        """The resource that a call is about: of its address, of its body, or of its `url`.

        Args:
            call: the invocation.
            type_: resource type of what is looked for.
            parameter: name of the parameter that may hold the resource.
            version: name of the parameter that may hold its version.

        Raises:
            NotFound, Gone: it is not here.
            Incorrect: none is named, or more than one.
        """
        url, sent = call.one("url"), call.one(parameter)
        named = [one for one in (call.id, url, sent) if one]
        if len(named) != 1:
            raise Incorrect(f"Name one {type_}: by `url`, by `{parameter}`, or by the address {type_}/[id].")
        if call.id:
            return codec.reread(read.current(self._reader, call.caller, type_, call.id).data)
        if sent:
            return dict(sent)
        found = self.find(type_, url, call.one(version) or "")
        if found is None:
            raise NotFound(f"There is no {type_} with this url here, stored or built in.")
        return found


def codings(call: Call, *, system: str = "system", version: str = "version") -> tuple[Coded, ...]:
    """The codings that a call asks about; several of one `codeableConcept`.

    Args:
        call: the invocation.
        system: name of the parameter that goes with `code`.
        version: name of the parameter that holds the system's version.

    Raises:
        Incorrect: none, or more than one of `code`, `coding` and `codeableConcept`; or a code without its system.
    """
    code, coding, concept = call.one("code"), call.one("coding"), call.one("codeableConcept")
    if sum(one is not None for one in (code, coding, concept)) != 1:
        raise Incorrect("Ask about one of `code`, `coding` and `codeableConcept`.")
    if code is not None:
        of = call.one(system)
        if not of:
            raise Incorrect(f"A `code` needs its `{system}`.")
        return (Coded(of, code, call.one("display") or "", call.one(version) or ""),)
    sent = [coding] if coding is not None else concept.get("coding", [])
    found = tuple(
        Coded(one["system"], one["code"], one.get("display", ""), one.get("version", ""))
        for one in sent
        if one.get("system") and one.get("code")
    )
    if not found:
        raise Incorrect("A Coding needs system and code.")
    return found


def same_display(given: str, known: str) -> bool:
    """Whether two displays are the same; case and white space do not count."""
    return given.casefold().split() == known.casefold().split()


def require_system(terminology: Terminology, url: str, version: str = "") -> CodeSystem:
    """The CodeSystem of a URL.

    Raises:
        NotFound: it is not here.
    """
    system = terminology.code_system(url, version)
    if system is None:
        known = " (the codes of some value sets of R4 are known, not whole code systems)" if _is_hl7(url) else ""
        raise NotFound(f"There is no CodeSystem with this url here, stored or built in{known}.")
    return system


def _is_hl7(url: str) -> bool:
    return url.startswith(("http://hl7.org/fhir/", "http://terminology.hl7.org/"))


@cache
def _own(type_: str) -> tuple[Json, ...]:
    files = sorted(shipped.folder("profiles").glob(f"{type_}-*.json"))
    return tuple(codec.decode(file.read_bytes()) for file in files)


def _of_r4(url: str, version: str) -> Json | None:
    """A value set of a required binding of R4."""
    name = url.rpartition("/")[2]
    if name not in VALUE_SETS or url != _canonical_of_r4(name) or version not in ("", FHIR_VERSION):
        return None
    systems = VALUE_SETS[name]
    include = [
        {"system": system, "concept": [{"code": code} for code in sorted(codes)]} for system, codes in systems.items()
    ]
    return {
        "resourceType": "ValueSet",
        "url": url,
        "version": FHIR_VERSION,
        "status": "active",
        "compose": {"include": include},
    }


def _canonical_of_r4(name: str) -> str:
    base = "http://terminology.hl7.org" if name.startswith(_V3) else "http://hl7.org/fhir"
    return f"{base}/ValueSet/{name}"
