"""Golden cases among what is asked: as many as was set, nowhere to be told by their place, and a liar is found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fhirtwin.ckks.profiles import NETWORK
from fhirtwin.errors import EngineAnswerWrong, Incorrect
from fhirtwin.packages.kind import Case
from fhirtwin.settings import Settings
from fhirtwin.vault.golden import Golden, judge

RUNS, CALLS = 1_000, 1_000


def drawn(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - figures for a test


def burst(golden: Golden) -> str:
    """Who is asked on one occasion: p for the patient, g for a golden case."""
    sent: list[str] = []
    golden.beside(lambda: sent.append("p"), lambda: sent.append("g"))
    return "".join(sent)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.32, 0.46, 0.5])
def test_golden_cases_are_the_share_of_all_calls_and_of_the_first_ones_and_of_the_second_ones(share: float) -> None:
    golden = Golden(share, drawn(1).random)
    seen = Counter(burst(golden) for _ in range(40_000))
    calls = sum(len(one) * number for one, number in seen.items())
    assert seen.keys() <= {"p", "gp", "pg"}
    assert (seen["gp"] + seen["pg"]) / calls == pytest.approx(share, abs=0.01)
    assert seen["gp"] / 40_000 == pytest.approx(share, abs=0.01)  # of calls that come first
    if share:
        assert seen["pg"] / (seen["gp"] + seen["pg"]) == pytest.approx(share, abs=0.02)  # of those that follow another
    if share == 0.5:
        assert seen["p"] == 0


@dataclass
class Liar:
    """An engine that sees calls alone, never what they are; `lies` says which of them it lies about.

    Attributes:
        lies: is told the place of a call on its occasion, 0 or 1.
    """

    lies: Callable[[int], bool]
    calls: int = 0
    caught: bool = False
    fooled: int = 0
    place: int = field(default=0, init=False)

    def called(self, what: str) -> None:
        self.calls += 1
        lied = self.lies(self.place)
        self.place += 1
        if lied and what == "g":
            self.caught = True
            raise EngineAnswerWrong("caught")
        self.fooled += lied

    def occasion(self, golden: Golden) -> None:
        self.place = 0
        golden.beside(lambda: self.called("p"), lambda: self.called("g"))


def caught(golden: Golden, lies: Callable[[int], bool], calls: int = CALLS) -> bool:
    engine = Liar(lies)
    try:
        while engine.calls < calls:
            engine.occasion(golden)
    except EngineAnswerWrong:
        return engine.calls <= calls
    return False


@pytest.mark.parametrize("which", ["any", "first", "second"])
def test_of_engines_that_lie_in_one_of_a_hundred_calls_99_percent_are_caught_within_1000_calls(which: str) -> None:
    """Also of those that know golden cases may come beside, and lie about one place alone."""
    draw = drawn(7)
    golden = Golden(Settings().golden_share, draw.random)
    chance = 0.01 if which == "any" else 0.02  # half of the calls have that place
    place = {"any": None, "first": 0, "second": 1}[which]

    def lies(at: int) -> bool:
        return place in (None, at) and draw.random() < chance

    found = sum(caught(golden, lies) for _ in range(RUNS))
    assert found / RUNS >= 0.99, found


def test_without_golden_cases_none_is_caught() -> None:
    draw = drawn(3)
    assert not any(caught(Golden(0.0, draw.random), lambda _: draw.random() < 0.01) for _ in range(20))


def test_nothing_is_told_unless_both_came_out_right() -> None:
    def refuse() -> None:
        raise EngineAnswerWrong("wrong")

    for where in (0.1, 0.9):
        with pytest.raises(EngineAnswerWrong):
            Golden(0.5, lambda where=where: where).beside(lambda: "told", refuse)  # type: ignore[misc]
    assert Golden(0.1, lambda: 0.9).beside(lambda: "told", refuse) == "told"


@pytest.mark.parametrize("share", ["0.51", "-0.1", "nan", "1"])
def test_a_share_that_cannot_be_is_refused(share: str) -> None:
    with pytest.raises(Incorrect, match="GOLDEN_SHARE"):
        Settings.from_env({"FHIRTWIN_GOLDEN_SHARE": share})


@pytest.mark.parametrize(("opened", "is_right"), [("0.5", True), ("0.5035", True), ("0.505", False), ("0.495", False)])
def test_noise_and_rounding_are_no_lie(opened: str, is_right: bool) -> None:
    from fhirtwin.vault.asking import Asking

    class Asks(Asking):
        profile, what = NETWORK, "network"

        def ask(self, given: Any, send: Any) -> dict[str, Decimal]:
            return {"y": Decimal(opened)}

        def most_off(self, answer: str) -> Decimal:
            return Decimal("0.0018")

    model: Any = SimpleNamespace(cases=(Case("a", np.zeros(1), {"y": 0.5}),))
    send: Any = None
    if is_right:
        judge(Asks(), model, send)
    else:
        with pytest.raises(EngineAnswerWrong):
            judge(Asks(), model, send)
