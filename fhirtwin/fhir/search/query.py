"""What a search asks, taken apart: handed over from the grammar to the store. Nothing here reads text or makes SQL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from fhirtwin.fhir.search.parameters import SearchParameter
from fhirtwin.fhir.search.values import Value

Total = Literal["none", "estimate", "accurate"]
Summary = Literal["true", "text", "data", "count", "false"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One parameter: any of `values` must fit; with `:not` and `:not-in` none."""

    parameter: SearchParameter
    modifier: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A reference whose target meets a criterion: `subject:Patient.name=x`; one `wanted` for each type of target."""

    parameter: SearchParameter
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class ReverseChain:
    """Some resource refers to this one and meets criteria: `_has:Observation:patient:code=x`."""

    parameter: SearchParameter
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of one of these Lists refers to the resource: `_list=42`; `parameter` is `item` of List."""

    parameter: SearchParameter
    ids: tuple[str, ...]


Criterion = Condition | Chain | ReverseChain | Listed


@dataclass(frozen=True, slots=True)
class Wanted:
    """Resources of one type that meet all criteria."""

    type: str
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class SortKey:
    """What to sort by: the same parameter of each type searched. Resources without a value come last."""

    parameters: tuple[SearchParameter, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """Resources to give along with the matches.

    Attributes:
        reverse: of `_revinclude`: those that refer to a resource of the result, rather than those it refers to.
        type: the type that holds the reference; empty means any.
        parameters: the references to follow.
        target: only targets of this type; empty means any.
        iterate: whether it applies to included resources as well.
    """

    reverse: bool
    type: str
    parameters: tuple[SearchParameter, ...]
    target: str = ""
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins, and what the first page found out for all later ones.

    Attributes:
        ceiling: number of the newest resource when the first page was made; later ones belong to another search.
        total: as counted then; None when nobody wanted to know.
        number: of the last resource of the page before.
        keys: its sort keys.
    """

    ceiling: int
    total: int | None
    number: int
    keys: tuple[int | float | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """One search.

    Attributes:
        wanted: resources of any of these; one for each type searched.
        count: resources on a page; 0 asks for the total alone.
        position: where the page begins; None: at the beginning.
        max_includes: most resources that come along.
        elements: the elements wanted; empty means all.
        understood: the parameters as they were understood, for the links.
        ignored: texts that say what was not understood and passed over, as the caller wished.
    """

    wanted: tuple[Wanted, ...]
    count: int
    position: Position | None = None
    sort: tuple[SortKey, ...] = ()
    includes: tuple[Include, ...] = ()
    max_includes: int = 1000
    total: Total = "accurate"
    summary: Summary = "false"
    elements: frozenset[str] = frozenset()
    explain: bool = False
    understood: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()

    def told(self, *parameters: tuple[str, str]) -> Query:
        """The same search, with more parameters, which its links name first."""
        return replace(self, understood=(*parameters, *self.understood))

    @property
    def is_conditional(self) -> bool:
        """Whether anything narrows the search."""
        return any(one.criteria for one in self.wanted)
