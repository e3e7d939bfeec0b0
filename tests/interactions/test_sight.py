"""Callers who may see a part of the records: what they may not see looks as if it were not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import FhirtwinError, Forbidden, NotFound
from fhirtwin.interactions import invoke
from fhirtwin.interactions.context import Services
from fhirtwin.interactions.create import create
from fhirtwin.interactions.delete import delete
from fhirtwin.interactions.history import history
from fhirtwin.interactions.patch import Form, patch
from fhirtwin.interactions.read import read
from fhirtwin.interactions.transaction import transaction
from fhirtwin.interactions.update import update
from fhirtwin.interactions.vread import vread
from tests import parts
from tests.parts import body, entry, observation, patient

LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
OF_ANN = Caller("app", OPEN.may, patients=frozenset({"ann"}))
META = body(
    {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"profile": ["http://test/p"]}}]}
)
WITHOUT_RESTRICTED = Caller("app", OPEN.may, withheld=frozenset({(LABEL["system"], LABEL["code"])}))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    made = parts.services(tmp_path_factory.mktemp("sight"))
    stored = [
        patient(id="ann"),
        patient(id="ben"),
        observation("Patient/ann", id="o-ann"),
        observation("Patient/ben", id="o-ben"),
        observation("Patient/ann", id="o-secret", meta={"security": [LABEL]}),
    ]
    entries = [entry("PUT", f"{one['resourceType']}/{one['id']}", one) for one in stored]
    transaction(made, OPEN, body(parts.transaction(*entries)))
    yield made
    made.store.close()


def operation(name: str, type_: str, id_: str, sent: bytes = b"") -> Callable[[Services, Caller], Any]:
    def run(services: Services, caller: Caller) -> Any:
        found = invoke.find(type_, id_, name, "POST")
        return invoke.invoke(services, caller, found, type_, id_, "POST", sent=sent)

    return run


def asks(type_: str, id_: str) -> dict[str, Callable[[Services, Caller], Any]]:
    """Every way to ask for one resource."""
    ways: dict[str, Callable[[Services, Caller], Any]] = {
        "read": lambda services, caller: read(services, caller, type_, id_),
        "vread": lambda services, caller: vread(services, caller, type_, id_, "1"),
        "history": lambda services, caller: history(services, caller, type_, id_),
        "meta": operation("meta", type_, id_),
        "validate": operation("validate", type_, id_),
    }
    if type_ == "Patient":
        ways |= {name: operation(name, type_, id_) for name in ("everything", "twin")}
    return ways


def outcome(ask: Callable[[Services, Caller], Any], services: Services, caller: Caller) -> str:
    try:
        return str(ask(services, caller).status)
    except FhirtwinError as error:
        return f"{error.status} {error}"


@pytest.mark.parametrize(("type_", "theirs", "own"), [("Patient", "ben", "ann"), ("Observation", "o-ben", "o-ann")])
def test_what_belongs_to_others_looks_as_if_it_never_was(services: Services, type_: str, theirs: str, own: str) -> None:
    for name, ask in asks(type_, theirs).items():
        hidden = outcome(ask, services, OF_ANN)
        assert hidden.startswith("404"), name
        assert hidden == outcome(asks(type_, "never")[name], services, OF_ANN), name
        assert outcome(ask, services, OPEN) == "200", name
        assert outcome(asks(type_, own)[name], services, OF_ANN) == "200", name


def test_what_is_withheld_looks_as_if_it_never_was(services: Services) -> None:
    for name, ask in asks("Observation", "o-secret").items():
        assert outcome(ask, services, WITHOUT_RESTRICTED).startswith("404"), name
        assert outcome(asks("Observation", "o-ben")[name], services, WITHOUT_RESTRICTED) == "200", name


def test_a_twin_is_not_shown_to_whom_a_part_of_the_record_is_withheld(services: Services) -> None:
    for name in ("twin", "assess"):
        with pytest.raises(Forbidden):
            operation(name, "Patient", "ann")(services, WITHOUT_RESTRICTED)


def test_what_was_deleted_is_in_nobodys_compartment(tmp_path: Path) -> None:
    services = parts.services(tmp_path)
    update(services, OPEN, "Patient", "ann", body(patient(id="ann")))
    delete(services, OPEN, "Patient", "ann")
    with pytest.raises(NotFound):
        read(services, OF_ANN, "Patient", "ann")
    services.store.close()


@pytest.mark.parametrize("caller", [OF_ANN, WITHOUT_RESTRICTED])
def test_who_sees_a_part_neither_writes_nor_sees_the_history_of_a_type(services: Services, caller: Caller) -> None:
    body_ = body(patient(id="ann"))
    for ask in (
        lambda: create(services, caller, "Patient", body(patient())),
        lambda: update(services, caller, "Patient", "ann", body_),
        lambda: patch(services, caller, "Patient", "ann", b'[{"op":"remove","path":"/gender"}]', Form.JSON),
        lambda: delete(services, caller, "Patient", "ann"),
        lambda: history(services, caller, "Patient", ""),
        lambda: history(services, caller, "", ""),
        lambda: operation("meta-delete", "Patient", "ann", META)(services, caller),
        lambda: transaction(services, caller, body(parts.transaction(entry("PUT", "Patient/ann", patient(id="ann"))))),
    ):
        with pytest.raises(Forbidden):
            ask()
