"""What a caller may see of the resources of one type: the seam between access control and search.

Every search asks for each resource type that it touches, whether as match, include, link of a chain or sort key, and
puts the answer into its SQL. So no total, page, link or match can tell of what the caller may not see.

Pure: a caller in, a filter out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fhirtwin.access import Caller
from fhirtwin.errors import Forbidden
from fhirtwin.fhir.search.subsets import PATIENT_COMPARTMENT

Label = tuple[str, str]
"""System and code of a security label (`meta.security`)."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What may be seen of the resources of one type; all that is said must hold.

    Attributes:
        nothing: no resource of the type at all.
        patients: ids of patients of this server; a resource must lie in the compartment of one of them. None: it need
            not.
        withheld: a resource with one of these labels is not seen.
        required: a resource must have one of these labels; empty: it need not.
    """

    nothing: bool = False
    patients: frozenset[str] | None = None
    withheld: frozenset[Label] = frozenset()
    required: frozenset[Label] = frozenset()


EVERYTHING: Final = Filter()
NOTHING: Final = Filter(nothing=True)

View = Callable[[str], Filter]
"""From a resource type to what may be seen of it."""


def see_everything(_type: str) -> Filter:
    """The view of the server's own work, which no caller's rights bound: withdrawing, rebuilding."""
    return EVERYTHING


def bounded(caller: Caller) -> bool:
    """Whether there is anything on this server that the caller may not see."""
    return caller.patients is not None or bool(caller.withheld)


def require_whole_record(caller: Caller) -> None:
    """Return when a caller may see whole records: a twin mixes facts of resources with and without labels.

    Raises:
        Forbidden: resources with some labels are withheld from them.
    """
    if caller.withheld:
        raise Forbidden("A twin is made of the whole record, and you may not see the whole record.")


def view(caller: Caller) -> View:
    """What the caller may see, by resource type."""
    return lambda type_: visible(caller, type_)


def visible(caller: Caller, type_: str) -> Filter:
    """What the caller may see of the resources of one type.

    Resources of types that no patient's compartment holds (Practitioner, Organization, ValueSet, ...) are seen by
    everybody who may search at all.
    """
    return _bounds(caller, type_) if "search-type" in caller.may else NOTHING


def one_by_one(caller: Caller) -> View:
    """What the caller may see when asking for one resource by its address, which takes no right to search."""
    return lambda type_: _bounds(caller, type_)


def _bounds(caller: Caller, type_: str) -> Filter:
    bound = caller.patients is not None and (type_ == "Patient" or type_ in PATIENT_COMPARTMENT)
    if not (bound or caller.withheld):
        return EVERYTHING
    return Filter(patients=caller.patients if bound else None, withheld=caller.withheld)
