"""What a guideline says to do, as steps that can be read by a machine, and their wording for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SAID: Final = {
    "use": "use",
    "avoid": "avoid",
    "alternative": "choose another drug",
    "reduce": "lower",
    "increase": "raise",
    "limit": "do not exceed",
    "titrate": "titrate",
    "monitor": "watch",
    "test": "measure",
    "judge": "decide by",
    "caution": "use with caution",
    "without": "do not combine with",
    "add": "add",
    "stop": "stop at the first sign of a",
    "none": "no recommendation",
    "note": "note",
}
_DOSES: Final = {
    "start": "the starting dose",
    "maintenance": "the maintenance dose",
    "dose": "the dose",
    "target": "the target dose",
}
_WHOLE: Final = {
    "avoid:drug": "avoid it",
    "avoid:unless outweighed": "avoid it, unless the benefit outweighs the risk",
    "avoid:also": "avoid also",
    "avoid:except malaria regimens of the guideline": "avoid it, except in the malaria regimens of the guideline",
    "alternative:any": "choose another drug",
    "alternative:named": "choose",
    "use:standard dose": "use the usual dose",
    "use:label dose": "use the dose of the label",
    "use:standard start": "start with the usual dose",
    "use:desired start": "start with the dose wanted",
    "use:start": "start with",
    "limit:start": "start with at most",
    "limit:dose": "give at most",
    "limit:below": "give less than",
    "monitor:drug level": "watch the drug level",
    "caution:standard dose": "use the usual dose with caution",
    "caution:use": "use with caution",
    "titrate:slower": "titrate more slowly",
    "titrate:own schedule": "follow the schedule of the guideline",
    "none:no recommendation": "the guideline gives no recommendation",
    "none:no action for this genotype, evidence is small": "no action for this genotype, because evidence is small",
    "none:insufficient evidence": "evidence of an effect of the genotype is insufficient",
    "note:other gene unknown": "another gene of this table is not known",
}
_WHEN: Final = {
    "naive": "if never taken before",
    "cancer": "for cancer",
    "not cancer": "for diseases other than cancer",
}
_STEP: Final = re.compile(r"(or )?(~)?([a-z]+):([^=@]+)(?:=([^@]+))?(?:@(.+))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a guideline says to do.

    Attributes:
        verb: `use`, `reduce`, `increase`, `limit`, `avoid`, `alternative`, `titrate`, `monitor`, `test`, ...
        what: what it is done to: `start`, `maintenance`, `drug`, `drug level`, `not by CYP2C19`, ...
        amount: how much, or which, as stated; empty where the guideline states nothing.
        when: the condition; empty where it is to be done in any case.
        consider: the guideline says to consider it.
        instead: it may be done instead of the steps before it.
    """

    verb: str
    what: str
    amount: str = ""
    when: str = ""
    consider: bool = False
    instead: bool = False

    @property
    def words(self) -> str:
        """The step for people."""
        said = _WHOLE.get(f"{self.verb}:{self.what}") or f"{SAID[self.verb]} {_DOSES.get(self.what, self.what)}".strip()
        said = said.replace("another drug not by", "a drug that is not broken down by")
        said = said.replace("choose another drug another", "choose another").replace(
            "another drug aromatase", "an aromatase"
        )
        said = said.replace("another drug anti", "an anti").replace("choose another drug non-", "choose a non-")
        said = said.replace("another drug not a", "a drug that is not a")
        amount = f"{self._between}{self.amount}" if self.amount else ""
        start = f"{'or ' if self.instead else ''}{'consider: ' if self.consider else ''}"
        return f"{start}{said}{amount}{f' ({_WHEN.get(self.when, self.when)})' if self.when else ''}"

    @property
    def _between(self) -> str:
        """What stands between the step and its amount."""
        if self.verb in ("reduce", "increase") and re.match(r"\d+(-\d+)?%|about", self.amount):
            return " by "
        if self.verb == "alternative" and self.what != "named":
            return ", for example "
        return ": " if self.verb in ("reduce", "increase") and not self.amount.startswith("to ") else " "


def step(text: str) -> Step:
    """Read one step of the table."""
    match = _STEP.fullmatch(text)
    if match is None or match[3] not in SAID:
        raise ValueError(f"the table of advice has a step that cannot be read: {text}")
    return Step(match[3], match[4], match[5] or "", match[6] or "", bool(match[2]), bool(match[1]))


def compose(steps: tuple[Step, ...]) -> str:
    """Say all steps in one sentence of ours."""
    text = "; ".join(one.words for one in steps)
    return f"{text[:1].upper()}{text[1:]}."
