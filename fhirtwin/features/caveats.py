"""What a reader must know of the record beside a result: what on its lists was not counted, and what is unsettled.

"None recorded" is only as good as what was read, and an eGFR only as good as the kidney function is steady.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fhirtwin.predictors.model import Predictor
from fhirtwin.terms.facts import FLAGS
from fhirtwin.twin.derived import newest
from fhirtwin.twin.medicines import CLASS_ONLY
from fhirtwin.twin.state import TwinState


def notes(state: TwinState, predictor: Predictor) -> tuple[str, ...]:
    """Give a sentence for each thing about the record that a reader of this predictor's result must know.

    Args:
        state: the twin as of the day; its `unused` names each entry that was seen and not used, and why.
        predictor: its rules and inputs tell which lists and facts matter.
    """
    return (*_unsteady(state, predictor), *_not_counted(state, predictor))


def _unsteady(state: TwinState, predictor: Predictor) -> Iterator[str]:
    """An equation that takes eGFR and has no rule against acute injury is calculated; the reader decides."""
    told = newest(state, "kidney-function-unstable")
    if told and told.value is True and any(needed.fact == "egfr" for needed in predictor.inputs):
        yield (
            "Creatinine was changing rapidly, or acute kidney injury is recorded: an eGFR of such a time does not show "
            "the usual kidney function, and neither does this estimate."
        )


def _not_counted(state: TwinState, predictor: Predictor) -> Iterator[str]:
    """Entries of the lists that a predictor relies on and that were seen and not used."""
    matter = frozenset(_lists(predictor)) - {"Patient"}
    left = sorted(
        {
            (unused.source, unused.reason)
            for unused in state.unused
            if unused.source.type in matter and not unused.reason.startswith(CLASS_ONLY)
        }
    )
    if not left:
        return
    counted = Counter((source.type, reason) for source, reason in left)
    what = "; ".join(f"{number} {kind} ({reason})" for (kind, reason), number in sorted(counted.items()))
    yield f"On the lists but not counted, so look at them yourself: {what}."


def _lists(predictor: Predictor) -> Iterator[str]:
    """Resource types that "none recorded" may be read from."""
    for fact in (*(rule.fact for rule in predictor.rules), *(needed.fact for needed in predictor.inputs)):
        for group in FLAGS.get(fact, ()):
            yield from group
