"""Serotonin syndrome, hypertensive reactions, and sedation with opioids."""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.findings import Citation, Severity
from fhirtwin.rules.tables.model import Interaction, label, of

_C, _W, _I = Severity.CRITICAL, Severity.WARNING, Severity.INFO
_SYNDROME = "serotonin syndrome"
_NOT = "The label contraindicates the two together, and within 14 days of stopping the MAOI."
_TRAMADOL = label("tramadol, 4, 5.9 and 7", "855905c7-1481-4b2d-a318-3254ad8ed73c", "2026-06-08")
_MEPERIDINE = label("meperidine, boxed warning and 7", "792fefda-6cc4-4709-b902-fd9787fc310a", "2026-02-13")
_ZYVOX = label("linezolid (Zyvox), 5.3", "6e70e63b-bfd5-478d-a8ee-8ba22c9efabd", "2026-06-23")
_PARNATE = Citation(
    "Parnate (tranylcypromine), US label of 2021, 4.1 and table 1",
    "https://www.rxreasoner.com/monographs/parnate/precautions",
)
_NARDIL = Citation(
    "Nardil (phenelzine), contraindications, as MPR gives its label", "https://www.renalandurologynews.com/drug/nardil/"
)
_FLUOXETINE = label("fluoxetine, 4", "9651816f-58f5-4bf8-8183-6f3d84d36b5c", "2024-07-12")
_SERTRALINE = Citation(
    "FDA label: sertraline, Contraindications", "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query=sertraline"
)


def _row(
    id_: str, left: str, right: str, severity: Severity, effect: str, advice: str, *sources: Citation
) -> Interaction:
    return Interaction(id_, of(left), of(right), severity, effect, advice, sources)


ROWS: Final = (
    _row(
        "maoi-fluoxetine",
        "maois",
        "fluoxetine",
        _C,
        _SYNDROME,
        "The label contraindicates the two together, and an MAOI within 5 weeks of stopping fluoxetine.",
        _FLUOXETINE,
    ),
    _row("maoi-sertraline", "maois", "sertraline", _C, _SYNDROME, _NOT, _SERTRALINE),
    _row(
        "maoi-antidepressants",
        "maois",
        "citalopram, escitalopram, fluvoxamine, paroxetine, snris, tricyclics, mirtazapine, bupropion, buspirone",
        _C,
        "serotonin syndrome or hypertensive crisis",
        "The label of tranylcypromine contraindicates antidepressants of these classes and buspirone, together or in "
        "rapid succession; that of phenelzine names them among its contraindications. An interval without either is "
        "needed when changing.",
        _PARNATE,
        _NARDIL,
    ),
    _row(
        "maoi-trazodone",
        "maois",
        "trazodone",
        _C,
        _SYNDROME,
        "The label of tranylcypromine contraindicates trazodone, together or in rapid succession; Davis's Drug Guide "
        "contraindicates trazodone with any MAOI.",
        _PARNATE,
        Citation(
            "Davis's Drug Guide, trazodone, contraindications",
            "https://www.unboundmedicine.com/nursingcentral/ub/view/Davis-Drug-Guide/51764/4/trazodone",
        ),
    ),
    _row(
        "maoi-stimulants",
        "maois",
        "pseudoephedrine, methylphenidate, carbamazepine, cyclobenzaprine",
        _C,
        "hypertensive crisis or other severe reaction",
        "The label of tranylcypromine contraindicates it, together or in rapid succession; that of phenelzine names it "
        "among its contraindications.",
        _PARNATE,
        _NARDIL,
    ),
    _row(
        "tranylcypromine-contraindicated",
        "tranylcypromine",
        "nefazodone, rizatriptan, zolmitriptan, tapentadol, phenylephrine, ephedrine, methyldopa, tetrabenazine",
        _C,
        "severe or life-threatening reaction",
        "The label of tranylcypromine contraindicates it, together or in rapid succession.",
        _PARNATE,
    ),
    _row("maoi-tramadol", "maois", "tramadol", _C, _SYNDROME, _NOT, _TRAMADOL),
    _row("maoi-meperidine", "maois", "meperidine", _C, "severe, possibly fatal reaction", _NOT, _MEPERIDINE),
    _row(
        "maoi-methadone",
        "maois",
        "methadone",
        _W,
        "serotonin syndrome or opioid toxicity",
        "The label does not recommend methadone with an MAOI, or within 14 days of stopping it.",
        label("methadone, 7", "540edd43-165d-4257-b989-3bccc8f54afb"),
    ),
    _row(
        "maoi-dextromethorphan",
        "maois",
        "dextromethorphan",
        _C,
        "serious reaction",
        "The label says not to use the two together, nor within two weeks of stopping the MAOI.",
        label("dextromethorphan, Warnings", "234e6a2c-a280-4a39-8777-9316e9d681fb", "2026-05-27"),
    ),
    _row(
        "maoi-sumatriptan",
        "maois",
        "sumatriptan",
        _C,
        "more sumatriptan",
        "The label contraindicates sumatriptan with an inhibitor of MAO-A, and within two weeks of it.",
        label("sumatriptan, Contraindications", "32f6d89b-4aea-5396-e054-00144ff88e88", "2016-05-16"),
    ),
    _row(
        "linezolid-maoi",
        "linezolid",
        "maois",
        _C,
        "two inhibitors of monoamine oxidase",
        "The label says that linezolid should not be used with another inhibitor of monoamine oxidase.",
        label("linezolid (Zyvox), 4.2", "3e5e9975-6f36-42e4-ab46-0e75dda83592"),
    ),
    _row(
        "linezolid-serotonergic",
        "linezolid",
        "ssris, snris, tricyclics, buspirone, sumatriptan",
        _W,
        _SYNDROME,
        "Fatal cases were reported. The label asks to watch for serotonin syndrome, and to consider stopping one or "
        "both if "
        "it appears; the label of fluoxetine contraindicates starting it during linezolid.",
        _ZYVOX,
        _FLUOXETINE,
    ),
    _row(
        "linezolid-tramadol",
        "linezolid",
        "tramadol",
        _C,
        _SYNDROME,
        "The label says not to use tramadol with an MAOI such as linezolid, or within 14 days of it.",
        _TRAMADOL,
    ),
    _row(
        "linezolid-meperidine",
        "linezolid",
        "meperidine",
        _C,
        "severe, possibly fatal reaction",
        "The label says not to use meperidine with an MAOI such as linezolid, or within 14 days of it.",
        _MEPERIDINE,
    ),
    _row(
        "linezolid-bupropion",
        "linezolid",
        "bupropion",
        _W,
        "hypertensive reaction",
        "The label says not to start bupropion in a patient who is treated with linezolid.",
        label("bupropion, 2.5", "88c980c8-aaa8-4378-9ac2-24d588640caa", "2026-06-24"),
    ),
    _row(
        "tramadol-serotonergic",
        "tramadol",
        "ssris, snris, tricyclics, mirtazapine, trazodone, sumatriptan",
        _W,
        _SYNDROME,
        "The label names both among drugs that together may cause serotonin syndrome: stop tramadol if it is "
        "suspected. With "
        "SSRIs and tricyclics it also names a higher risk of seizures.",
        _TRAMADOL,
    ),
    _row(
        "triptan-ssri-snri",
        "sumatriptan",
        "ssris, snris",
        _I,
        _SYNDROME,
        "The label says that serotonin syndrome may occur, particularly when the two are used together.",
        label("sumatriptan, Warnings", "1ecbd827-e22b-113d-e054-00144ff8d46c", "2019-12-27"),
    ),
    _row(
        "opioid-benzodiazepine",
        "opioids",
        "benzodiazepines",
        _W,
        "sedation, respiratory depression, death",
        "Boxed warning: only where other treatment is not enough, at the lowest doses, for the shortest time, and "
        "watched.",
        label("oxycodone (Roxicodone), boxed warning", "5a8157d3-ba20-4abf-b0d4-6ad141b31d63", "2026-04-24"),
    ),
    _row(
        "opioid-gabapentin",
        "opioids",
        "gabapentin",
        _I,
        "respiratory depression",
        "The label asks to monitor, and to adjust the dose.",
        label("gabapentin, 5.8", "c7f21eaa-68ee-420c-9c98-e997cc73a297", "2025-05-01"),
    ),
    _row(
        "opioid-pregabalin",
        "opioids",
        "pregabalin",
        _I,
        "respiratory depression",
        "The label names respiratory depression with opioids among its warnings.",
        label("pregabalin extended-release, 5.5", "f6aa5977-97c8-4a56-8e35-d9ab5cc24369"),
    ),
)
