"""Concept sets: which codes of LOINC, SNOMED CT, ICD-10, ICD-10-CM, RxNorm and ATC mean which fact.

Each set names its source. SNOMED CT and RxNorm rows are single codes: their descendants cannot be told without the
release files, so a code outside the tables means nothing here, and the resource is listed as not used ("code not
known"). ICD-10, ICD-10-CM and ATC rows stand for all codes that begin with them, as those systems are built. Text is
never read.
"""

from __future__ import annotations

from collections.abc import Iterable

from fhirtwin.terms.concepts.conditions import NOT_COUNTED as _NOT_COUNTED_CONDITIONS
from fhirtwin.terms.concepts.conditions import SETS as _CONDITION_SETS
from fhirtwin.terms.concepts.medicines import SETS as _MEDICINE_SETS
from fhirtwin.terms.concepts.model import Code, ConceptSet, Meaning, Table
from fhirtwin.terms.concepts.observations import NOT_COUNTED as _NOT_COUNTED_OBSERVATIONS
from fhirtwin.terms.concepts.observations import OTHER_FORMULA, PANELS, PREGNANCY, SMOKING
from fhirtwin.terms.concepts.observations import SETS as _OBSERVATION_SETS
from fhirtwin.terms.concepts.procedures import SETS as _PROCEDURE_SETS
from fhirtwin.terms.concepts.substances import ALLERGENS as _ALLERGENS
from fhirtwin.terms.concepts.substances import NO_MEDICINE as _NO_MEDICINE
from fhirtwin.terms.concepts.substances import NONE_KNOWN as _NONE_KNOWN
from fhirtwin.terms.concepts.substances import SETS as _SUBSTANCE_SETS
from fhirtwin.terms.systems import SNOMED

__all__ = [
    "CONDITION_FACTS",
    "OTHER_FORMULA",
    "PROCEDURE_FACTS",
    "Code",
    "ConceptSet",
    "Meaning",
    "all_sets",
    "allergens",
    "condition",
    "is_panel",
    "medicine",
    "no_allergy",
    "no_medicine",
    "not_counted",
    "observation",
    "pregnancy",
    "procedure",
    "smoking",
]

_OBSERVATIONS = Table(_OBSERVATION_SETS)
_CONDITIONS = Table(_CONDITION_SETS)
_PROCEDURES = Table(_PROCEDURE_SETS)
_MEDICINES = Table(_MEDICINE_SETS)

CONDITION_FACTS = _CONDITIONS.facts
PROCEDURE_FACTS = _PROCEDURES.facts


def observation(code: Code) -> Meaning | None:
    """Give the fact that an Observation with this code measures."""
    return _OBSERVATIONS.one(code)


def is_panel(codes: Iterable[Code]) -> bool:
    """Tell whether one of the codes is a panel that is read through its components."""
    return any(code in PANELS for code in codes)


def smoking(answer: Code) -> str | None:
    """Give `current`, `former` or `never` for an answer to the smoking status question; None when it says neither."""
    return SMOKING.get(answer)


def pregnancy(answer: Code) -> bool | None:
    """Tell whether an answer to the pregnancy status question says pregnant; None when it says neither."""
    return PREGNANCY.get(answer)


def condition(code: Code) -> tuple[Meaning, ...]:
    """Give the facts that a Condition with this code stands for."""
    return () if code in _NOT_COUNTED_CONDITIONS else _CONDITIONS.meanings(code)


def procedure(code: Code) -> Meaning | None:
    """Give the fact that a Procedure with this code stands for."""
    return _PROCEDURES.one(code)


def medicine(code: Code) -> tuple[Meaning, ...]:
    """Give the classes of medicine that a drug code belongs to: a fixed combination may belong to two."""
    return _MEDICINES.meanings(code)


def allergens(code: Code) -> tuple[str, ...]:
    """Give what an allergy with this SNOMED CT code is to: groups of `fhirtwin.terms.drugs`, or ingredients."""
    return _ALLERGENS.get(code.code, ()) if code.system == SNOMED else ()


def no_medicine(code: Code) -> bool:
    """Tell whether a code says that an allergy is to something that is no medicine."""
    return code in _NO_MEDICINE


def no_allergy(code: Code) -> bool:
    """Tell whether a code says that no allergy is known."""
    return code in _NONE_KNOWN


def not_counted(code: Code) -> str | None:
    """Give why a code that is known is not used on purpose, or None."""
    return _NOT_COUNTED_OBSERVATIONS.get(code) or _NOT_COUNTED_CONDITIONS.get(code)


def all_sets() -> tuple[ConceptSet, ...]:
    """Give every concept set, for documentation and tests."""
    return (*_OBSERVATIONS.sets, *_CONDITIONS.sets, *_PROCEDURES.sets, *_MEDICINES.sets, *_SUBSTANCE_SETS)
