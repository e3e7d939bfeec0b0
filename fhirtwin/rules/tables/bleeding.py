"""Warfarin: medicines that change its effect, and those that add to bleeding."""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.findings import Citation, Severity
from fhirtwin.rules.orderable import INR
from fhirtwin.rules.tables.model import Interaction, label, of

_W, _I = Severity.WARNING, Severity.INFO
_UP = "the effect of warfarin rises, bleeding"
_DOWN = "the effect of warfarin falls"
_BOTH = "bleeding"


def _row(id_: str, other: str, severity: Severity, effect: str, advice: str, source: Citation) -> Interaction:
    return Interaction(f"warfarin-{id_}", of("warfarin"), of(other), severity, effect, advice, (source,), INR, "inr")


ROWS: Final = (
    _row(
        "amiodarone",
        "amiodarone",
        _W,
        _UP,
        "The label says that serious or fatal bleeding may follow: reduce warfarin by one third to one half, and "
        "monitor prothrombin time closely.",
        label("amiodarone, drug interactions", "f49d011f-5ca6-4f75-ba16-2099fe42f5aa", "2026-06-15"),
    ),
    _row(
        "fluconazole",
        "fluconazole",
        _W,
        _UP,
        "The label asks for careful monitoring of prothrombin time; the dose of warfarin may need to change.",
        label("fluconazole, Precautions", "f694c617-3383-416c-91b6-b94fda371204", "2026-04-02"),
    ),
    _row(
        "voriconazole",
        "voriconazole",
        _W,
        _UP,
        "The label asks to monitor prothrombin time at close intervals and to adjust the dose of warfarin.",
        label("voriconazole, 7", "67c174da-41b8-4738-8a22-dd814b8e96b8", "2026-02-15"),
    ),
    _row(
        "ketoconazole",
        "ketoconazole",
        _I,
        _UP,
        "The label asks to monitor, and to titrate the anticoagulant.",
        label("ketoconazole, drug interactions", "bc189ce2-3f10-260d-e053-2a95a90ae808", "2025-01-17"),
    ),
    _row(
        "cyp2c9-inhibitors",
        "capecitabine, fluvastatin, fluvoxamine, miconazole, zafirlukast",
        _I,
        _UP,
        "The label of warfarin names it among inhibitors of CYP2C9 and asks to monitor INR more often.",
        label("warfarin, 7", "51e98fb6-ba76-497e-95d8-fe895ef0b7ed", "2026-06-29"),
    ),
    _row(
        "metronidazole",
        "metronidazole",
        _I,
        _UP,
        "The label says that it may potentiate warfarin and prolong prothrombin time.",
        label("metronidazole, drug interactions", "a2883ca1-5a9a-4259-9d80-46ab67274384", "2026-05-22"),
    ),
    _row(
        "sulfamethoxazole",
        "sulfamethoxazole",
        _I,
        _UP,
        "The label of sulfamethoxazole with trimethoprim asks to keep this in mind and to reassess coagulation time.",
        label(
            "sulfamethoxazole and trimethoprim, drug interactions", "7f82e5e0-b627-a3f3-e053-2991aa0abaa5", "2026-02-09"
        ),
    ),
    _row(
        "clarithromycin",
        "clarithromycin",
        _I,
        _UP,
        "The label says that reports suggest that it may potentiate oral anticoagulants.",
        label("clarithromycin, drug interactions", "b98b02bb-2609-49a0-b29f-e5911aa0cbc1", "2023-05-30"),
    ),
    _row(
        "azithromycin",
        "azithromycin",
        _I,
        _UP,
        "The label asks to monitor prothrombin time.",
        label("azithromycin, 7", "db52b91e-79f7-4cc1-9564-f2eee8e31c45", "2026-01-07"),
    ),
    _row(
        "ciprofloxacin",
        "ciprofloxacin",
        _I,
        _UP,
        "The label asks to monitor prothrombin time and INR frequently, during treatment and shortly after.",
        label("ciprofloxacin, 7", "4fe686e7-b9bb-7450-e054-00144ff8d46c", "2024-07-17"),
    ),
    _row(
        "rifampin",
        "rifampin",
        _I,
        _DOWN,
        "The label asks to measure prothrombin time as often as needed to find and keep the dose of the anticoagulant.",
        label("rifampin, drug interactions", "4c39ee75-ae96-456d-bf47-16d49865345e", "2023-04-12"),
    ),
    _row(
        "antiplatelets",
        "aspirin, cilostazol, clopidogrel, dipyridamole, ticlopidine",
        _I,
        _BOTH,
        "The label of warfarin names it among medicines that raise the risk of bleeding: monitor closely.",
        label("warfarin, 7.2", "bf21781b-d4d5-456d-a5bc-d48bd2da61ce", "2015-10-28"),
    ),
    _row(
        "nsaids",
        "nsaids",
        _I,
        _BOTH,
        "The label of warfarin asks for care and close monitoring with NSAIDs.",
        label("warfarin, Precautions", "c437507c-d308-4aac-aa5e-a54972c7fa95", "2014-05-06"),
    ),
    _row(
        "ssris",
        "ssris",
        _I,
        _BOTH,
        "The label of sertraline says that medicines that interfere with serotonin reuptake add to the risk of "
        "bleeding with an anticoagulant, and asks to monitor INR.",
        label("sertraline, Warnings and Precautions", "4e09f580-d612-416c-a4a4-79a4411845b2", "2024-11-19"),
    ),
    _row(
        "tramadol",
        "tramadol",
        _W,
        _UP,
        "The regulator says that taking both may lead to bruising and bleeding which may be life-threatening.",
        Citation(
            "MHRA Drug Safety Update: warfarin and tramadol, 2024-06-20",
            "https://www.gov.uk/drug-safety-update/warfarin-be-alert-to-the-risk-of-drug-interactions-with-tramadol",
        ),
    ),
)
