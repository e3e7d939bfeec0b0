"""A ValueSet's definition becomes a list of codes, or is refused: never a part that looks like the whole.

*Source*: http://hl7.org/fhir/R4/valueset.html#compositions, http://hl7.org/fhir/R4/valueset.html#expansion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirtwin.errors import Issue, TooLarge, Unprocessable, Unsupported
from fhirtwin.fhir.terminology.codesystem import CodeSystem, Concept

Json = Mapping[str, Any]
Key = tuple[str, str]
"""System and code."""

MOST_CODES: Final = 20_000
"""Most codes of an expansion."""

MOST_LOOKS: Final = 1_000_000
"""How many times a concept may be looked at for one expansion, those of imported value sets included."""

MOST_IMPORTS: Final = 20
"""How deep value sets may import one another."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code of an expansion; display and designations as the value set or the code system gives them."""

    system: str
    code: str
    display: str = ""
    designations: tuple[Json, ...] = ()
    inactive: bool = False
    abstract: bool = False
    version: str = ""


Codes = dict[Key, Code]
"""The codes of an expansion in order."""


class Expander:
    """Expands value sets, each once; made for one call.

    Args:
        code_system: gives the CodeSystem of a URL and a version (empty: any), or None when it is not here.
        value_set: gives the ValueSet resource of a canonical URL, or None.
    """

    def __init__(
        self, code_system: Callable[[str, str], CodeSystem | None], value_set: Callable[[str], Json | None]
    ) -> None:
        self._code_system = code_system
        self._value_set = value_set
        self._known: dict[str, Codes] = {}
        self._open: list[str] = []
        self._looks = 0

    def expand(self, value_set: Json) -> Codes:
        """List the codes of a value set.

        Raises:
            Unprocessable: a code system or value set that it needs is not here whole, or imports run in a circle.
            Unsupported: its definition says something that is not done here.
            TooLarge: more codes than `MOST_CODES`, or more work than `MOST_LOOKS`.
        """
        compose = value_set.get("compose")
        if compose is None:
            return self._stated(value_set)
        if "lockedDate" in compose:
            raise Unsupported("The value set is of a day (`lockedDate`); code systems are here as of now only.")
        found: Codes = {}
        for include in compose["include"]:
            found.update({key: code for key, code in self._included(include).items() if key not in found})
            if len(found) > MOST_CODES:
                raise _too_costly(f"The value set has more than {MOST_CODES} codes.")
        for exclude in compose.get("exclude", ()):
            for key in self._included(exclude):
                found.pop(key, None)
        if compose.get("inactive") is False:
            found = {key: code for key, code in found.items() if not code.inactive}
        return found

    def _stated(self, value_set: Json) -> Codes:
        """The codes of a value set that comes as an expansion alone."""
        expansion = value_set.get("expansion")
        if expansion is None:
            raise Unprocessable("The value set has neither a definition (`compose`) nor an expansion.")
        found: Codes = {}
        unseen = list(reversed(expansion.get("contains", ())))
        while unseen:
            one = unseen.pop()
            unseen += reversed(one.get("contains", ()))
            if "code" in one:
                self._look(1)
                code = _stated_code(one)
                found.setdefault((code.system, code.code), code)
        if expansion.get("total", len(found)) > len(found) or expansion.get("offset"):
            raise Unprocessable("The value set comes as a part of an expansion; what it lacks cannot be told.")
        return found

    def _included(self, include: Json) -> Codes:
        found = self._of_system(include) if "system" in include else None
        for url in include.get("valueSet", ()):
            imported = self._imported(url)
            self._look(len(imported))
            found = imported if found is None else {key: code for key, code in found.items() if key in imported}
        if found is None:
            raise Unprocessable("An include names neither a system nor a value set.")
        return found

    def _imported(self, url: str) -> Codes:
        if url not in self._known:
            if url in self._open or len(self._open) >= MOST_IMPORTS:
                raise Unprocessable("Value sets import one another in a circle, or too deep.")
            value_set = self._value_set(url)
            if value_set is None:
                raise Unprocessable(f"The ValueSet {url} is imported and is not here.")
            self._open.append(url)
            self._known[url] = self.expand(value_set)
            self._open.pop()
        return self._known[url]

    def _of_system(self, include: Json) -> Codes:
        url, version = include["system"], include.get("version", "")
        if "concept" in include:
            return self._enumerated(include, url, version)
        system = self._code_system(url, version)
        if system is None:
            raise Unprocessable(
                f"The CodeSystem {url}{f' version {version}' if version else ''} is not here, so which of its codes "
                "the value set has cannot be told. Store it, or a value set that lists its codes."
            )
        self._look(len(system.concepts) * (1 + len(include.get("filter", ()))))
        checks = [system.fits(filter_) for filter_ in include.get("filter", ())]
        chosen = (concept for concept in system.concepts.values() if all(check(concept) for check in checks))
        return {(url, concept.code): _of_concept(system, concept) for concept in chosen}

    def _enumerated(self, include: Json, url: str, version: str) -> Codes:
        """Codes that the value set lists itself; the code system, where it is here, adds what it knows of them."""
        try:
            system = self._code_system(url, version)
        except Unprocessable:  # a part of it is here, and nothing of it is needed
            system = None
        found: Codes = {}
        self._look(len(include["concept"]))
        for one in include["concept"]:
            concept = system.find(one["code"]) if system else None
            known = _of_concept(system, concept) if system and concept else Code(url, one["code"], version=version)
            found[url, one["code"]] = Code(
                url,
                one["code"],
                one.get("display") or known.display,
                (*one.get("designation", ()), *known.designations),
                known.inactive,
                known.abstract,
                known.version,
            )
        return found

    def _look(self, times: int) -> None:
        self._looks += times
        if self._looks > MOST_LOOKS:
            raise _too_costly("To expand this value set takes too much work.")


def shown(codes: Iterable[Code], *, text: str = "", active_only: bool = False) -> Iterator[Code]:
    """The codes that fit what a user typed: each word in the code or the display, whatever its case."""
    words = text.casefold().split()
    for code in codes:
        said = f"{code.code} {code.display}".casefold()
        if all(word in said for word in words) and not (active_only and code.inactive):
            yield code


def _of_concept(system: CodeSystem, concept: Concept) -> Code:
    return Code(
        system.url,
        concept.code,
        concept.display,
        tuple(concept.json.get("designation", ())),
        concept.inactive,
        concept.abstract,
        system.version,
    )


def _stated_code(one: Json) -> Code:
    designations = tuple(one.get("designation", ()))
    inactive, abstract = bool(one.get("inactive", False)), bool(one.get("abstract", False))
    version, display = one.get("version", ""), one.get("display", "")
    return Code(one.get("system", ""), one["code"], display, designations, inactive, abstract, version)


def _too_costly(text: str) -> TooLarge:
    advice = "Ask for a smaller one, or store one that is smaller."
    return TooLarge(text, issues=[Issue("too-costly", f"{text} {advice}")])
