"""Patients, genotypes and statements of medicines, stored through the door, and who may ask of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhirtwin.access import OPEN, Caller
from fhirtwin.errors import Forbidden, NotFound
from fhirtwin.fhir import codec
from fhirtwin.pgx.results import Known, Pair
from fhirtwin.report.genomics.genotype import genotype
from fhirtwin.terms.drugs.ingredients import CODES
from fhirtwin.terms.systems import RXNORM
from tests.parts import body

JSON = {"Content-Type": "application/fhir+json"}
Json = dict[str, Any]


def statement(name: str) -> Json:
    return {
        "resourceType": "MedicationStatement",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": CODES[name]}]},
        "effectivePeriod": {"start": "2024-01-01"},
    }


def known(gene: str, *pairs: tuple[str, str], **more: Any) -> Json:
    return genotype(Known(gene, tuple(Pair(*one) for one in pairs), **more), "Patient/p", "2024-01-01")


def post(client: FlaskClient, *resources: Json) -> None:
    for one in resources:
        answer = client.post(f"/fhir/{one['resourceType']}", data=body(one), headers=JSON)
        assert answer.status_code == 201, answer.text


def put(client: FlaskClient, *resources: Json) -> None:
    for one in resources:
        answer = client.put(f"/fhir/{one['resourceType']}/{one['id']}", data=codec.encode(one), headers=JSON)
        assert answer.status_code == 201, answer.text


def assert_whole_record_only(call: Callable[[Caller, str], int]) -> None:
    """Who may see the Patient `empty` alone is not told of `p`, nor is who is kept from a part of the record."""
    theirs = Caller("app", OPEN.may, patients=frozenset({"empty"}))
    assert call(theirs, "empty") == 200
    with pytest.raises(NotFound):
        call(theirs, "p")
    with pytest.raises(Forbidden):
        call(Caller("app", OPEN.may, withheld=frozenset({("s", "c")})), "p")
    with pytest.raises(Forbidden):
        call(Caller("nobody"), "p")
