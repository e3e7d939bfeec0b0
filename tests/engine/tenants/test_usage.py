from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhirtwin.engine.tenants.tenant import Limits, Tenant
from fhirtwin.engine.tenants.usage import Usage, Used
from fhirtwin.errors import Fault, QuotaUsedUp
from tests.clock import Clock
from tests.conftest import ROOT

MODEL, OTHER_MODEL = "ab" * 32, "cd" * 32
NOON = 1_800_000_000.0 - 1_800_000_000 % 86_400 + 43_200


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def usage(tmp_path: Path, clock: Clock) -> Iterator[Usage]:
    counted = Usage(tmp_path / "usage.sqlite", clock)
    yield counted
    counted.close()


def tenant(**limits: float) -> Tenant:
    return Tenant("st-mary", bytes(32), Limits(**limits))  # type: ignore[arg-type]


def test_bytes_are_counted_by_the_minute(usage: Usage, clock: Clock) -> None:
    one = tenant(bytes_per_minute=250)
    clock.now += 20
    usage.take(one, MODEL, 100)
    usage.take(one, MODEL, 100)
    with pytest.raises(QuotaUsedUp, match="bytes a minute") as refused:
        usage.take(one, MODEL, 100)
    assert refused.value.retry_after == 40
    clock.now += refused.value.retry_after
    usage.take(one, MODEL, 250)


def test_what_was_refused_is_not_counted(usage: Usage) -> None:
    one = tenant(bytes_per_minute=100, answers_per_day=1)
    with pytest.raises(QuotaUsedUp):
        usage.take(one, MODEL, 101)
    usage.take(one, MODEL, 100)


def test_evaluation_is_counted_by_what_it_took(usage: Usage, clock: Clock) -> None:
    one = tenant(seconds_per_minute=1.0)
    usage.take(one, MODEL, 1)
    usage.settle(one, 0.6)
    usage.take(one, MODEL, 1)
    usage.settle(one, 0.6)
    with pytest.raises(QuotaUsedUp, match="seconds of evaluation"):
        usage.take(one, MODEL, 1)
    clock.now += 60
    usage.take(one, MODEL, 1)


def test_answers_are_counted_by_model_and_day(usage: Usage, clock: Clock) -> None:
    one = tenant(answers_per_day=2)
    usage.take(one, MODEL, 1, answers=2)
    with pytest.raises(QuotaUsedUp, match="answers of one model a day") as refused:
        usage.take(one, MODEL, 1)
    assert refused.value.retry_after == 43_200
    usage.take(one, OTHER_MODEL, 1)
    clock.now += 43_200
    usage.take(one, MODEL, 1)
    answers = [used for used in usage.all() if used.what == f"answers {MODEL}"]
    assert answers == [Used("st-mary", f"answers {MODEL}", 1, 3)]


def test_a_clock_that_is_set_back_gives_no_new_quota(usage: Usage, clock: Clock) -> None:
    one = tenant(answers_per_day=1)
    usage.take(one, MODEL, 1)
    clock.now -= 200_000
    with pytest.raises(QuotaUsedUp):
        usage.take(one, MODEL, 1)


def test_one_tenant_does_not_use_up_another_ones(usage: Usage) -> None:
    usage.take(tenant(answers_per_day=1), MODEL, 1)
    usage.take(Tenant("other", bytes(32), Limits(answers_per_day=1)), MODEL, 1)


COUNT = """
import sys
from pathlib import Path
from fhirtwin.engine.tenants.tenant import Limits, Tenant
from fhirtwin.engine.tenants.usage import Usage
from fhirtwin.errors import QuotaUsedUp
usage, one, taken = Usage(Path(sys.argv[1])), Tenant("st-mary", bytes(32), Limits(answers_per_day=300)), 0
for _ in range(200):
    try:
        usage.take(one, "ab" * 32, 1)
        taken += 1
    except QuotaUsedUp:
        pass
print(taken)
"""


def test_processes_count_together_and_a_restart_forgets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "usage.sqlite"
    for expected in (300, 0):
        command = [sys.executable, "-c", COUNT, str(path)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)]
        assert sum(int(process.communicate(timeout=60)[0]) for process in running) == expected


def test_the_file_is_for_its_owner_only(tmp_path: Path, usage: Usage) -> None:
    assert (tmp_path / "usage.sqlite").stat().st_mode & 0o077 == 0


def test_what_cannot_be_counted_is_not_done(tmp_path: Path) -> None:
    (tmp_path / "usage.sqlite").write_text("this is no database, and long enough to be told from an empty one" * 10)
    with pytest.raises(Fault, match=r"usage\.sqlite"):
        Usage(tmp_path / "usage.sqlite")
