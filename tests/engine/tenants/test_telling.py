"""What the operator of an engine reads of tenants: names instead of digests, where they are known."""

from __future__ import annotations

from pathlib import Path

from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.engine.tenants import telling
from fhirtwin.engine.tenants.tenant import Limits, Tenant
from fhirtwin.engine.tenants.usage import Used
from fhirtwin.packages import package, published
from fhirtwin.pgx.circuits import tables
from fhirtwin.predictors import registry
from tests.packages.builders import packed, packed_trees


def test_panel_batch_and_tables_have_names() -> None:
    known = telling.names(None)
    panel = registry.panel(registry.all_predictors())
    assert known[panel.digest] == "panel"
    assert known[Batch(panel).digest].startswith("panel, as a batch")
    assert [known[one.digest] for one in tables.panels()] == ["tables, 1 of 2", "tables, 2 of 2"]


def test_every_part_of_a_published_model_has_its_id_and_version(tmp_path: Path) -> None:
    for number, made in enumerate((packed(tmp_path / "kfre"), packed_trees(tmp_path / "trees", stretched=12))):
        found = package.read(made.whole, None)
        published.publish(found, tmp_path / "models", with_weights=True)
        known = telling.names(tmp_path / "models")
        parts = [known[part.digest] for part in found.served()]
        name = f"{found.id} {found.version}"
        count = len(parts)
        assert (count > 1) == (number == 1)
        assert parts == ([name] if count == 1 else [f"{name}, part {n} of {count}" for n in range(1, count + 1)])
        tenant = Tenant("a", bytes(32), models=frozenset({found.hash}))
        assert f"  may ask for  {name}" in list(telling.lines(tenant, [], known))


def test_what_a_tenant_may_have_and_had_is_told() -> None:
    tenant = Tenant("st-mary", bytes(32), Limits(200_000_000, 30.0, None), frozenset({"panel", "ab" * 32}))
    had = [
        Used("st-mary", "bytes", 66_000, 1_200_000),
        Used("st-mary", "microseconds", 250_000, 12_500_000),
        Used("st-mary", "answers " + "ab" * 32, 3, 55),
        Used("st-mary", "answers " + "cd" * 32, 0, 7),
    ]
    assert list(telling.lines(tenant, had, {"ab" * 32: "kidney 1.0"})) == [
        "st-mary",
        "  may ask for  kidney 1.0, panel",
        "  bytes  at most 200,000,000 a minute; 66,000 in the last minute of use, 1,200,000 ever",
        "  seconds of evaluation  at most 30.0 a minute; 0.25 in the last minute of use, 12.5 ever",
        "  answers  without limit",
        "    kidney 1.0; 3 in the last day of use, 55 ever",
        f"    {'cd' * 32}; 0 in the last day of use, 7 ever",
    ]
    assert "  bytes  without limit; none yet" in list(telling.lines(Tenant("new", bytes(32)), [], {}))
