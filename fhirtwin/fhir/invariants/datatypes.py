"""Invariants of the datatypes.

*Source*: http://hl7.org/fhir/R4/datatypes.html and the pages of the metadata types.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from fhirtwin.fhir.invariants.rules import (
    UCUM,
    Object,
    Rule,
    all_or_none,
    any_of,
    at_most_one_of,
    excludes,
    in_order,
    needed_if,
    needs,
    one_of,
    there,
    where,
)

_WITHOUT_OFFSET: Final = frozenset({"C", "CM", "CD", "CV"})
"""Meals in general, of which an offset cannot say whether it is before or after."""


def _period_in_order(period: Object) -> bool:
    return in_order(period.get("start"), period.get("end"))


def _range_in_order(value: Object) -> bool:
    low, high = value.get("low", {}), value.get("high", {})
    if any(low.get(name) != high.get(name) for name in ("unit", "system", "code")):
        return True  # which is lower cannot be told from the numbers
    return "value" not in low or "value" not in high or bool(low["value"] <= high["value"])


def _in_ucum(quantity: Object) -> bool:
    return quantity.get("system") in (None, UCUM)


def _positive(quantity: Object) -> bool:
    return "value" not in quantity or bool(quantity["value"] > 0)


def _duration_coded(duration: Object) -> bool:
    return not there(duration, "code") or (duration.get("system") == UCUM and there(duration, "value"))


def _counted_in_ones(count: Object) -> bool:
    return count.get("code") in (None, "1")


def _whole(count: Object) -> bool:
    value = count.get("value", 0)
    return not (isinstance(value, Decimal) and "." in str(value))


def _duration_not_negative(repeat: Object) -> bool:
    return bool(repeat.get("duration", 0) >= 0)


def _period_not_negative(repeat: Object) -> bool:
    return bool(repeat.get("period", 0) >= 0)


def _offset_has_its_event(repeat: Object) -> bool:
    return not there(repeat, "offset") or (there(repeat, "when") and _WITHOUT_OFFSET.isdisjoint(repeat.get("when", ())))


def _data_event_has_data(trigger: Object) -> bool:
    return not str(trigger.get("type", "")).startswith("data-") or "data" in trigger


_CODED = needs("value", "code")

RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "Extension": (
        Rule("ext-1", "An extension must have either a value or extensions of its own.", one_of("value", "extension")),
    ),
    "Attachment": (Rule("att-1", "An attachment with data must have a contentType.", needs("data", "contentType")),),
    "Period": (Rule("per-1", "A period must not end before it starts.", where(_period_in_order)),),
    "Quantity": (Rule("qty-3", "A coded unit must have its system.", needs("code", "system")),),
    "Age": (
        Rule("age-1", "An age must have a code for its unit.", _CODED),
        Rule("age-1", "The unit of an age must be of UCUM.", where(_in_ucum)),
        Rule("age-1", "An age must be positive.", where(_positive)),
    ),
    "Count": (
        Rule("cnt-3", "A count must have a code for its unit.", _CODED),
        Rule("cnt-3", "The unit of a count must be of UCUM.", where(_in_ucum)),
        Rule("cnt-3", "The unit of a count must be 1.", where(_counted_in_ones)),
        Rule("cnt-3", "A count must be a whole number.", where(_whole)),
    ),
    "Distance": (
        Rule("dis-1", "A distance must have a code for its unit.", _CODED),
        Rule("dis-1", "The unit of a distance must be of UCUM.", where(_in_ucum)),
    ),
    "Duration": (Rule("drt-1", "A coded duration must have a value and a unit of UCUM.", where(_duration_coded)),),
    "Range": (Rule("rng-2", "The low end of a range must not be above its high end.", where(_range_in_order)),),
    # That a ratio without numbers has an extension follows from ele-1.
    "Ratio": (Rule("rat-1", "Numerator and denominator come together.", all_or_none("numerator", "denominator")),),
    "ContactPoint": (Rule("cpt-2", "A contact point with a value must have a system.", needs("value", "system")),),
    "Timing.repeat": (
        Rule("tim-1", "A duration must have its unit.", needs("duration", "durationUnit")),
        Rule("tim-2", "A period must have its unit.", needs("period", "periodUnit")),
        Rule("tim-4", "A duration must not be negative.", where(_duration_not_negative)),
        Rule("tim-5", "A period must not be negative.", where(_period_not_negative)),
        Rule("tim-6", "A periodMax must have a period.", needs("periodMax", "period")),
        Rule("tim-7", "A durationMax must have a duration.", needs("durationMax", "duration")),
        Rule("tim-8", "A countMax must have a count.", needs("countMax", "count")),
        Rule("tim-9", "An offset must have a when, and not C, CM, CD or CV.", where(_offset_has_its_event)),
        Rule("tim-10", "timeOfDay and when exclude each other.", at_most_one_of("timeOfDay", "when")),
    ),
    "Expression": (Rule("exp-1", "An expression or a reference is needed.", any_of("expression", "reference")),),
    "DataRequirement.codeFilter": (
        Rule("drq-1", "Either a path or a searchParam is needed, not both.", one_of("path", "searchParam")),
    ),
    "DataRequirement.dateFilter": (
        Rule("drq-2", "Either a path or a searchParam is needed, not both.", one_of("path", "searchParam")),
    ),
    "TriggerDefinition": (
        Rule("trd-1", "Timing and data exclude each other.", excludes("data", "timing")),
        Rule("trd-2", "A condition needs data.", needs("condition", "data")),
        Rule("trd-3", "A named event must have a name.", needed_if("name", "type", "named-event")),
        Rule("trd-3", "A periodic event must have its timing.", needed_if("timing", "type", "periodic")),
        Rule("trd-3", "A data event must have data.", where(_data_event_has_data)),
    ),
}
