from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from fhirtwin.ckks import wire
from fhirtwin.engine.tenants import folder
from fhirtwin.engine.tenants.tenant import Limits, Tenant
from fhirtwin.errors import Forbidden, Incorrect

LIMITS = Limits(1000, 2.5, 7)


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    folder.add(tmp_path / "tenants", "st-mary", LIMITS, ["panel"])
    return tmp_path / "tenants"


def test_a_tenant_is_found_by_its_secret(tenants: Path) -> None:
    ((name, tenant),) = folder.read(tenants).items()
    assert name == wire.key_name(tenant.key)
    assert tenant == Tenant("st-mary", tenant.key, LIMITS, frozenset({"panel"}))
    assert stat.S_IMODE((tenants / "st-mary.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(tenants.stat().st_mode) == 0o700


def test_the_name_of_a_secret_is_not_the_secret() -> None:
    assert wire.key_name(bytes(32)) != wire.key_name(bytes(31) + b"\x01")
    assert len(wire.key_name(bytes(32))) == 32


def test_while_a_secret_changes_both_count_and_then_the_new_one_alone(tenants: Path) -> None:
    (old,) = folder.read(tenants)
    folder.begin_rotation(tenants, "st-mary")
    both = folder.read(tenants)
    assert old in both and {tenant.name for tenant in both.values()} == {"st-mary"} and len(both) == 2
    folder.end_rotation(tenants, "st-mary")
    assert folder.read(tenants).keys() == both.keys() - {old}


def test_a_tenant_that_was_removed_is_gone_with_its_secret(tenants: Path) -> None:
    folder.begin_rotation(tenants, "st-mary")
    folder.remove(tenants, "st-mary")
    assert folder.read(tenants) == {}
    assert list(tenants.iterdir()) == []


def test_a_change_shows(tenants: Path) -> None:
    before = folder.fingerprint(tenants)
    folder.add(tenants, "other", Limits(), ["everything"])
    added = folder.fingerprint(tenants)
    folder.remove(tenants, "other")
    assert before != added
    assert folder.fingerprint(tenants) == before


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "../a", "a" * 41, "ä"])
def test_names_that_are_none_are_refused(tenants: Path, name: str) -> None:
    with pytest.raises(Incorrect, match="A tenant's name"):
        folder.add(tenants, name, Limits(), ["everything"])


def test_a_tenant_is_not_made_twice(tenants: Path) -> None:
    with pytest.raises(Incorrect, match="st-mary already"):
        folder.add(tenants, "st-mary", Limits(), ["everything"])


@pytest.mark.parametrize("change", [folder.remove, folder.begin_rotation, folder.end_rotation])
def test_what_is_not_there_is_not_changed(tenants: Path, change: object) -> None:
    with pytest.raises(Incorrect, match="There is no tenant nobody"):
        change(tenants, "nobody")  # type: ignore[operator]


def test_a_change_of_secret_ends_only_when_it_was_begun(tenants: Path) -> None:
    with pytest.raises(Incorrect, match="No rotation of st-mary was begun") as told:
        folder.end_rotation(tenants, "st-mary")
    assert "keys make" not in str(told.value)


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("{", "cannot be read as JSON"),
        ("[" * 5000, "cannot be read as JSON"),
        ("[]", "must be a JSON object of bytes_per_minute"),
        ("{}", "must be a JSON object of bytes_per_minute"),
        ({"bytes_per_minute": 0}, "bytes_per_minute must be a positive number"),
        ({"bytes_per_minute": 1.5}, "bytes_per_minute must be a positive number"),
        ({"answers_per_day": True}, "answers_per_day must be a positive number"),
        ({"seconds_per_minute": float("nan")}, "seconds_per_minute must be a positive number"),
        ({"models": []}, "models must be a list"),
        ({"models": "panel"}, "models must be a list"),
        ({"models": ["pannel"]}, "models are `everything`"),
    ],
)
def test_rules_that_are_wrong_are_refused_and_nobody_is_let_in_by_them(
    tenants: Path, rules: str | dict[str, object], says: str
) -> None:
    path = tenants / "st-mary.json"
    good = json.loads(path.read_text())
    path.write_text(rules if isinstance(rules, str) else json.dumps(good | rules))
    with pytest.raises(Incorrect, match=says):
        folder.read(tenants)


def test_two_tenants_with_one_secret_are_refused(tenants: Path) -> None:
    folder.add(tenants, "other", Limits(), ["everything"])
    (tenants / "other.key").write_bytes((tenants / "st-mary.key").read_bytes())
    with pytest.raises(Incorrect, match="each gateway needs its own"):
        folder.read(tenants)


def test_a_secret_that_others_can_read_is_refused(tenants: Path) -> None:
    (tenants / "st-mary.key").chmod(0o640)
    with pytest.raises(Incorrect, match="can be read by others"):
        folder.read(tenants)


def test_a_folder_that_others_can_write_to_is_refused(tenants: Path) -> None:
    tenants.chmod(0o770)
    with pytest.raises(Incorrect, match="Others can put tenants"):
        folder.read(tenants)


def test_a_folder_that_is_not_there_is_told_how_to_make(tmp_path: Path) -> None:
    with pytest.raises(Incorrect, match="fhirtwin tenant add"):
        folder.read(tmp_path / "nowhere")


def test_a_tenant_may_ask_for_what_it_was_given() -> None:
    digest = "ab" * 32
    assert Tenant("a", bytes(32)).may_ask(digest, "circuits")
    assert Tenant("a", bytes(32), models=frozenset({"tables"})).may_ask(digest, "tables")
    assert Tenant("a", bytes(32), models=frozenset({digest})).may_ask(digest, "panel")
    with pytest.raises(Forbidden, match="may not ask for this model"):
        Tenant("a", bytes(32), models=frozenset({"panel", "tables"})).require(digest, "circuits")
