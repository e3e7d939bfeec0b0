"""Shared by tests that ask one model: one engine, which serves all that they ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhirtwin.packages import published
from tests.asking.place import Place
from tests.engine.process import running_engine
from tests.packages.builders import authors_file, large_trajectory, one_of_each_kind


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("asking")
    data, served = folder / "data", folder / "served"
    wholes = {one.id: one for one in one_of_each_kind(folder).values()}
    for whole in wholes.values():
        published.publish(whole, served, with_weights=True)
        published.publish(whole, data / "models", with_weights=False)
    wholes["large"] = large_trajectory(folder / "large").package
    published.publish(wholes["large"], served, with_weights=True)
    authors_file(data / "authors.json")
    authors_file(folder / "authors.json")
    options = ("--models", str(served), "--authors", str(folder / "authors.json"))
    with running_engine(folder, *options) as engine:
        courier = engine.courier(timeout=30.0)
        yield Place(data, engine, courier, wholes)
        courier.close()
