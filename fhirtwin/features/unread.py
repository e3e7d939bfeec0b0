"""Says which entries of a patient's lists were not counted, since "none recorded" is only as good as what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fhirtwin.predictors.model import Predictor
from fhirtwin.terms.facts import FLAGS
from fhirtwin.twin.state import TwinState


def notes(state: TwinState, predictor: Predictor) -> tuple[str, ...]:
    """Give a sentence on what stands on the lists that a predictor relies on and was not counted, or nothing.

    Args:
        state: the twin, whose `unused` names each entry that was seen and not used, and why.
        predictor: its rules and inputs tell which lists matter.
    """
    matter = frozenset(_lists(predictor)) - {"Patient"}
    left = sorted({(unused.source, unused.reason) for unused in state.unused if unused.source.type in matter})
    if not left:
        return ()
    counted = Counter((source.type, reason) for source, reason in left)
    what = "; ".join(f"{number} {kind} ({reason})" for (kind, reason), number in sorted(counted.items()))
    return (f"On the lists but not counted, so look at them yourself: {what}.",)


def _lists(predictor: Predictor) -> Iterator[str]:
    """Resource types that "none recorded" may be read from."""
    for fact in (*(rule.fact for rule in predictor.rules), *(needed.fact for needed in predictor.inputs)):
        for group in FLAGS.get(fact, ()):
            yield from group
