"""The QT interval: what labels forbid beside one another, and which medicines labels say prolong it.

The lists of CredibleMeds are licensed and are not used. A medicine is here because an FDA label that was read says that
it prolongs the QT interval, or names it among those that do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.rules.findings import Citation, Severity
from fhirtwin.rules.orderable import QTC
from fhirtwin.rules.tables.model import Interaction, label, of

_ZIPRASIDONE = label("ziprasidone, 4.1", "7e7261d7-4902-4bb5-a268-6c358890f963", "2026-05-21")
_ERYTHROMYCIN = label("erythromycin, Warnings", "933049f6-61b9-4ed5-b6b7-60c5037e2115", "2026-03-05")

_NAMED: Final = (
    "dofetilide, sotalol, quinidine, thioridazine, chlorpromazine, droperidol, pimozide, gatifloxacin, moxifloxacin, "
    "mefloquine, pentamidine, dolasetron, tacrolimus"
)
_OWN: Final[Mapping[str, Citation]] = {
    "clarithromycin": label("clarithromycin, 5", "cde51c9f-f7b8-413f-8b8e-e56370cd5754", "2023-05-26"),
    "erythromycin": _ERYTHROMYCIN,
    "azithromycin": label("azithromycin, 5", "db52b91e-79f7-4cc1-9564-f2eee8e31c45", "2026-01-07"),
    "citalopram": Citation(
        "FDA, revised recommendations for citalopram, March 2012, as the American College of Physicians gives them",
        "https://www.acpinternist.org/weekly/archives/2012/04/03/7.htm",
    ),
    "escitalopram": label("escitalopram, Adverse reactions", "9c68f89b-1d34-4735-9631-817f012935d7", "2026-03-11"),
    "ondansetron": label("ondansetron, 5.2", "c83821ad-822e-47dc-8108-612312cf3a16", "2026-05-04"),
    "haloperidol": label("haloperidol, Warnings", "c559b0b0-4087-d12a-e718-c18ccb6811e6", "2025-01-15"),
    "ziprasidone": _ZIPRASIDONE,
    "methadone": label("methadone, boxed warning and 5", "aa8e14c1-fbfd-4e4d-b59e-2d4ae1ca815f", "2022-06-13"),
}

PROLONGS: Final[Mapping[str, Citation]] = {
    **dict.fromkeys(of(_NAMED), _ZIPRASIDONE),
    **{next(iter(of(name))): citation for name, citation in _OWN.items()},
}
"""Ingredient to the label that says it prolongs the QT interval, or names it among those that do."""

ROWS: Final = (
    Interaction(
        "ziprasidone-qt",
        of("ziprasidone"),
        of(f"{_NAMED}, amiodarone, procainamide"),
        Severity.CRITICAL,
        "QT prolongation, fatal arrhythmia",
        "The label of ziprasidone names it, or its class (antiarrhythmics of class Ia and III), among what must not "
        "be given "
        "with it.",
        (_ZIPRASIDONE,),
        QTC,
        "qtc-interval",
    ),
    Interaction(
        "erythromycin-antiarrhythmics",
        of("erythromycin"),
        of("quinidine, procainamide, dofetilide, amiodarone, sotalol"),
        Severity.WARNING,
        "QT prolongation, arrhythmia",
        "The label says to avoid erythromycin in patients who receive antiarrhythmics of class IA or III.",
        (_ERYTHROMYCIN,),
        QTC,
        "qtc-interval",
    ),
)

ADVICE: Final[Mapping[str, str]] = {
    next(iter(of(name))): text
    for name, text in {
        "ondansetron": "The label of ondansetron recommends ECG monitoring beside others that prolong QT.",
        "haloperidol": "The label of haloperidol advises particular caution beside drugs known to prolong QT.",
        "methadone": "The label of methadone asks to monitor the rhythm closely beside medicines that affect "
        "conduction.",
        "citalopram": "Citalopram prolongs it more with the dose. FDA does not recommend it beside others that prolong "
        "it, and allows at most 40 mg a day; 20 mg above 60 years of age, with hepatic impairment, in poor "
        "metabolisers of CYP2C19 and with cimetidine or another inhibitor of CYP2C19.",
    }.items()
}
"""What a label asks for when the medicine meets another that prolongs the interval."""
