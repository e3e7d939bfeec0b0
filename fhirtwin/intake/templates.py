"""Prefetch templates: what a service asks a client to send along, and what is fetched where the client did not.

Source: https://cds-hooks.hl7.org/2.0/#prefetch-template and, for `{{today() - 90 days}}`,
https://build.fhir.org/ig/HL7/cds-hooks/en/#prefetch-template (3.0 ballot)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from fhirtwin.fhir.search import parameters
from fhirtwin.fhir.search.parameters import Kind
from fhirtwin.fhir.validator import is_resource_type

USER_TOKENS: Final = {
    "userPractitionerId": "Practitioner",
    "userPractitionerRoleId": "PractitionerRole",
    "userPatientId": "Patient",
    "userRelatedPersonId": "RelatedPerson",
}
"""Tokens that stand for the user's id, when the user is of that type."""

LONGEST: Final = 512
"""Characters that a template may have; some servers refuse longer ones in an address."""

_TOKEN: Final = re.compile(r"\{\{(.*?)\}\}")
_DAY: Final = re.compile(r"today\(\)(?: ([+-]) ([0-9]{1,5}) days?)?")
_CONTEXT: Final = re.compile(r"context\.([A-Za-z][A-Za-z0-9]*)")
_VALUE: Final = re.compile(r"([A-Za-z]{1,64}/)?[A-Za-z0-9\-.]{1,64}")
_DATE: Final = re.compile(r"(eq|lt|gt|ge|le)?[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+)?)?)?)?")
_PLAIN: Final = re.compile(r"[^\s{}#&?]+")
_CONTROLS: Final = frozenset({"_count", "_sort"})
_DAY_STANDS_FOR: Final = "2024-01-01"
_MARK: Final = "token"


@dataclass(frozen=True, slots=True)
class Template:
    """One prefetch template of a service.

    Attributes:
        query: FHIR read or search, relative to the client's FHIR server, with tokens in double braces.
        required: whether the service cannot do its work without it.
        hooks: of the service's hooks, those that it is for; empty means all.
    """

    query: str
    required: bool = True
    hooks: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """Resource type that is read or searched; empty when a token says it: `{{context.userId}}`."""
        return "" if _TOKEN.match(self.query) else self.query.partition("?")[0].partition("/")[0]

    @property
    def is_search(self) -> bool:
        """Whether the answer is a Bundle."""
        return "?" in self.query

    @property
    def is_whole_list(self) -> bool:
        """Whether it asks for all resources of its type that the patient has, so that absence means absence."""
        names = {name for name, _ in self.parameters()}
        return self.is_search and names <= {"patient", "subject", "_count", "_sort"}

    def serves(self, hook: str) -> bool:
        """Whether it is for this hook."""
        return not self.hooks or hook in self.hooks

    def parameters(self) -> list[tuple[str, str]]:
        """Name, modifier included, and value of each search parameter."""
        pairs = (part.partition("=") for part in self.query.partition("?")[2].split("&") if part)
        return [(name, value) for name, _, value in pairs]

    def tokens(self) -> tuple[str, ...]:
        """What stands between double braces."""
        return tuple(token.strip() for token in _TOKEN.findall(self.query))

    def for_2_0(self) -> str:
        """The query as CDS Hooks 2.0 knows it: what names a day relative to today is left out, so it asks for more."""
        if not any(_DAY.fullmatch(token) for token in self.tokens()):
            return self.query
        kept = [f"{name}={value}" for name, value in self.parameters() if "today()" not in value]
        return f"{self.query.partition('?')[0]}?{'&'.join(kept)}"

    def resolve(self, values: Mapping[str, str], today: date) -> str:
        """The query with every token replaced.

        Args:
            values: by token, `context.patientId` for example; only ids and references are put into an address.
            today: the day that `today()` stands for.

        Raises:
            LookupError: a token has no value in this call; the argument is the token.
        """

        def replaced(found: re.Match[str]) -> str:
            token = found[1].strip()
            day = _DAY.fullmatch(token)
            if day:
                return _moved(today, day).isoformat()
            value = values.get(token, "")
            if not _VALUE.fullmatch(value) or value.rpartition("/")[2] in (".", ".."):
                raise LookupError(token)
            return value

        return _TOKEN.sub(replaced, self.query)


def _moved(day: date, found: re.Match[str]) -> date:
    days = int(found[2] or 0)
    return day + timedelta(days=-days if found[1] == "-" else days)


def faults(template: Template, tokens: Collection[str], references: Collection[str]) -> Iterator[str]:
    """Tell what is wrong with a template: each as the end of a sentence that begins with its name.

    Args:
        template: as a service states it.
        tokens: members of the hooks' contexts that have a primitive value and that each of its hooks has.
        references: those of them that are `Type/id`, so that a template may be nothing else.
    """
    if template.query in {f"{{{{context.{name}}}}}" for name in references}:
        return
    if not is_resource_type(template.type):
        yield "does not start with a resource type of R4"
        return
    if len(template.query) > LONGEST:
        yield f"is longer than {LONGEST} characters, which some servers refuse in an address"
    yield from _wrong_tokens(template, tokens)
    plain = _TOKEN.sub(lambda found: _DAY_STANDS_FOR if _DAY.fullmatch(found[1].strip()) else _MARK, template.query)
    stripped = Template(plain)
    if "{" in plain or "}" in plain:
        yield "has braces that enclose no token"
    elif stripped.is_search:
        yield from _wrong_search(stripped)
    elif not re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9.-]+", plain):
        yield "is no FHIR read or search"


def _wrong_tokens(template: Template, tokens: Collection[str]) -> Iterator[str]:
    for token in template.tokens():
        found = _CONTEXT.fullmatch(token)
        if found and found[1] not in tokens:
            yield f"has the token {token}, which is no single value in the context of each of its hooks"
        elif not found and token not in USER_TOKENS and not _DAY.fullmatch(token):
            yield "has a token that CDS Hooks does not define"


def _wrong_search(template: Template) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z]+\?[^?#\s]+", template.query):
        yield "is no FHIR read or search"
        return
    for name, value in template.parameters():
        if not _PLAIN.fullmatch(value):
            yield f"gives the parameter {name} no value"
        elif name not in _CONTROLS and (wrong := _wrong_parameter(template.type, name, value)):
            yield wrong


def _wrong_parameter(type_: str, name: str, value: str) -> str:
    """What of a parameter lies outside the queries that clients are recommended to support; empty when nothing does."""
    bare, _, modifier = name.partition(":")
    known = parameters.of_type(type_).get(bare)
    if known is None:
        return f"has the parameter {bare}, which R4 does not define for {type_}"
    if known.kind is Kind.REFERENCE and not modifier:
        return ""
    if known.kind is Kind.TOKEN and modifier in ("", "in"):
        return ""
    if known.kind is Kind.DATE and not modifier and _DATE.fullmatch(value):
        return ""
    return f"has the parameter {name}, which is not among the queries that CDS Hooks recommends clients to support"
