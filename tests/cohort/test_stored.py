"""The patients of a store: each once, those that came before the run began, and none who was replaced or deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin.cohort import stored
from fhirtwin.cohort.job import Item, Job
from fhirtwin.cohort.worker import Worker
from fhirtwin.predictors import registry
from tests.cohort.people import DAY
from tests.gateway_in_process import FHIR, Gateway, gateway, maria
from tests.parts import body, patient


@pytest.fixture
def parts(tmp_path: Path) -> Gateway:
    made = gateway(tmp_path)
    for number in range(7):
        put(made, f"p{number}")
    assert made.http.delete("/fhir/Patient/p3").status_code in (200, 204)
    return made


def put(made: Gateway, id_: str, **more: object) -> None:
    data = body(patient(id=id_, **more))
    assert made.http.put(f"/fhir/Patient/{id_}", data=data, content_type=FHIR).status_code in (200, 201)


def newest(made: Gateway) -> int:
    with made.parts.store.snapshot() as reader:
        return reader.newest()


def test_blocks_hold_every_patient_once_and_go_on_where_they_were(parts: Gateway) -> None:
    ceiling = newest(parts)
    put(parts, "later")
    put(parts, "p0", gender="female")
    whole = list(stored.blocks(parts.parts.store, 2, ceiling))
    assert [[item.data for item in block.items] for block in whole] == [[b"p0", b"p1"], [b"p2", b"p4"], [b"p5", b"p6"]]
    for place, block in enumerate(whole):
        assert list(stored.blocks(parts.parts.store, 2, ceiling, block)) == whole[place + 1 :]
    assert list(stored.blocks(parts.parts.store, 4, ceiling))[-1].end == ceiling
    assert list(stored.blocks(parts.parts.store, 4, 0)) == []


def test_who_was_replaced_or_deleted_is_named_and_the_others_are_read(parts: Gateway) -> None:
    put(parts, "p1", link=[{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}])
    id_ = parts.load(maria())
    job = Job(parts.parts.settings, tuple(one.id for one in registry.all_predictors()), DAY, stored=True, prepare=True)
    items = [Item(n, who.encode()) for n, who in enumerate(("p1", "p3", id_, "nobody", "p2"))]
    replaced, deleted, whole, nobody, bare = Worker(job).rows(items)
    assert "replaced by another" in replaced.wrong
    assert "deleted" in deleted.wrong
    assert "deleted" in nobody.wrong
    assert b'"prevent-base"' in whole.row
    assert b"missing" in bare.row
