"""From one resource to another: visibility, chains, reverse chains and Lists, as clauses.

Whatever a clause looks at on its way is looked at with the caller's eyes: a link over a resource that the caller may
not see is no link.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, FromClause, and_, false, select

from fhirtwin.access.visibility import EVERYTHING, Label, View
from fhirtwin.fhir.search.parameters import PARAMETERS, SearchParameter
from fhirtwin.fhir.search.query import Chain, Condition, Criterion, Listed, ReverseChain, Wanted
from fhirtwin.fhir.search.subsets import PATIENT_COMPARTMENT
from fhirtwin.fhir.search.values import TokenValue
from fhirtwin.store.index import kept, token_code
from fhirtwin.store.schema import resource
from fhirtwin.store.search.clauses import ALWAYS, NEVER, Binds, Clause, every, opposite, some
from fhirtwin.store.search.conditions import can_find, condition, finding, taken
from fhirtwin.store.search_tables import search_reference, search_token, search_uri


def wanted(what: Wanted, view: View, *, finds: bool = True) -> Clause:
    """Resources of a type, not deleted, that the caller may see and that meet all criteria.

    Args:
        what: the type and the criteria.
        view: what the caller may see.
        finds: whether resources are to be found, by the criterion that narrows most; else all criteria only look at
            resources that something else found.
    """
    criteria = sorted(what.criteria, key=finding)
    finds = finds and bool(criteria) and can_find(criteria[0])
    return every(
        (
            _of_type(what.type),
            seen(what.type, view),
            *(_criterion(what.type, one, view, finds=finds and number == 0) for number, one in enumerate(criteria)),
        )
    )


def seen(type_: str, view: View) -> Clause:
    """What the caller may see of a type, apart from what is deleted."""
    filter_ = view(type_)
    if filter_ == EVERYTHING:
        return ALWAYS
    if filter_.nothing:
        return NEVER
    clauses = []
    if filter_.patients is not None:
        clauses.append(_in_compartment(type_, filter_.patients))
    if filter_.withheld:
        clauses.append(opposite(_labelled(type_, filter_.withheld)))
    if filter_.required:
        clauses.append(_labelled(type_, filter_.required))
    return every(clauses)


def _of_type(type_: str) -> Clause:
    return Clause(
        ("of type",),
        (type_,),
        lambda owner, binds: and_(owner.c.type == binds.one(), owner.c.deleted == false()),
    )


def _in_compartment(type_: str, patients: Iterable[str]) -> Clause:
    ids = sorted(patients)
    known = PARAMETERS[type_]
    numbers = [known[name].number for name in PATIENT_COMPARTMENT.get(type_, ()) if name in known]

    def refers(owner: FromClause, binds: Binds) -> ColumnElement[bool]:
        row = search_reference.alias()
        return (
            select(row.c.resource)
            .where(
                row.c.resource == owner.c.number,
                row.c.parameter.in_(numbers),
                row.c.target_type == "Patient",
                row.c.target_base == "",
                row.c.target_id.concat("").in_(binds.many()),
            )
            .correlate(owner)
            .exists()
        )

    member = Clause(("compartment", type_), (ids,), refers)
    if type_ != "Patient":
        return member
    return some((member, Clause("own compartment", (ids,), lambda owner, binds: owner.c.id.in_(binds.many()))))


def _labelled(type_: str, labels: Iterable[Label]) -> Clause:
    parameter = PARAMETERS[type_]["_security"]

    def has(system: str, code: str) -> Clause:
        def build(owner: FromClause, binds: Binds) -> ColumnElement[bool]:
            row = search_token.alias()
            return (
                select(row.c.resource)
                .where(
                    row.c.resource == owner.c.number,
                    row.c.parameter == parameter.number,
                    row.c.code.concat("") == binds.one(),
                    row.c.system == binds.one(),
                )
                .correlate(owner)
                .exists()
            )

        return Clause(("label", parameter.number), (token_code(code, parameter), kept(system)), build)

    return some(has(*label) for label in sorted(labels))


def _criterion(type_: str, what: Criterion, view: View, *, finds: bool) -> Clause:
    match what:
        case Condition():
            return condition(what, finds=finds)
        case Chain():
            return some(_chain(what.parameter, target, view, finds=finds) for target in what.wanted)
        case ReverseChain():
            return _reverse_chain(type_, what.parameter, what.wanted, view, finds=finds)
        case Listed():
            return _reverse_chain(type_, what.parameter, _lists(what), view, finds=finds)


def _lists(listed: Listed) -> Wanted:
    ids = Condition(PARAMETERS["List"]["_id"], "", tuple(TokenValue(None, id_) for id_ in listed.ids))
    return Wanted("List", (ids,))


def _chain(parameter: SearchParameter, target: Wanted, view: View, *, finds: bool) -> Clause:
    """The resource refers by the parameter to one that is wanted."""
    inner = wanted(target, view, finds=finds)

    def build(owner: FromClause, binds: Binds) -> ColumnElement[bool]:
        found, row = resource.alias(), search_reference.alias()
        rows = select(row.c.resource).where(
            inner.build(found, binds),
            row.c.parameter == parameter.number,
            row.c.target_id == found.c.id,
            row.c.target_type == found.c.type,
            row.c.target_base == "",
        )
        return taken(rows, row, owner, finds=finds)

    by_reference = Clause(("chain", parameter.number, finds, inner.key), inner.bound, build)
    if not parameter.canonical or "url" not in PARAMETERS[target.type]:
        return by_reference
    return some((by_reference, _canonical_chain(parameter, target, view, finds=finds)))


def _canonical_chain(parameter: SearchParameter, target: Wanted, view: View, *, finds: bool) -> Clause:
    """The resource names by the parameter the canonical URL of one that is wanted."""
    inner = wanted(target, view, finds=finds)
    url = PARAMETERS[target.type]["url"].number

    def build(owner: FromClause, binds: Binds) -> ColumnElement[bool]:
        found, row, named = resource.alias(), search_uri.alias(), search_uri.alias()
        rows = select(row.c.resource).where(
            inner.build(found, binds),
            named.c.resource == found.c.number,
            named.c.parameter == url,
            row.c.parameter == parameter.number,
            row.c.uri == named.c.uri,
        )
        return taken(rows, row, owner, finds=finds)

    return Clause(("canonical chain", parameter.number, finds, inner.key), inner.bound, build)


def _reverse_chain(type_: str, parameter: SearchParameter, holder: Wanted, view: View, *, finds: bool) -> Clause:
    """A resource that is wanted refers by the parameter to this one."""
    inner = wanted(holder, view, finds=finds)

    def build(owner: FromClause, binds: Binds) -> ColumnElement[bool]:
        found, row = resource.alias(), search_reference.alias()
        refers = and_(
            inner.build(found, binds),
            row.c.resource == found.c.number,
            row.c.parameter == parameter.number,
            row.c.target_type == type_,
            row.c.target_base == "",
        )
        if not finds:
            rows = select(row.c.target_id).where(refers, row.c.target_id == owner.c.id)
            return rows.correlate(owner).exists()
        target = resource.alias()
        same = and_(target.c.type == type_, target.c.id == row.c.target_id)
        return owner.c.number.in_(select(target.c.number).where(refers, same))

    return Clause(("reverse chain", type_, parameter.number, finds, inner.key), inner.bound, build)
