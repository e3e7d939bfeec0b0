"""Renal dosing: rows that were verified against the text of a label, and nothing else.

Labels give ranges in whole numbers (30 to 49, 10 to 29). A calculated value lies between them (49.6). The lower end of
a range is read as it stands and its upper end as "up to the next range", so that 49.6 counts with 30 to 49: the lower
kidney function, never the higher one. Where a label writes ≤, ≥, < or >, that is kept.
"""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.interval import above, above_to, at_most, below, between, closed, from_to_below
from fhirtwin.rules.renal_row import Action, Band, Label, Metric, RenalRow

_UNNAMED: Final = "The label asks for creatinine clearance and names no weight; actual body weight is used."
_EQUATION: Final = "The label gives the equation of Cockcroft and Gault with body weight; actual body weight is used."
_DAILYMED: Final = "https://dailymed.nlm.nih.gov/dailymed/drugInfo.cfm?setid="


def _rxnorm(*codes: str) -> frozenset[str]:
    return frozenset(codes)


ROWS: Final[tuple[RenalRow, ...]] = (
    RenalRow(
        name="metformin",
        ingredients=_rxnorm("6809"),
        metric=Metric.EGFR,
        bands=(
            Band(
                "below-30",
                below(30),
                Action.CONTRAINDICATED,
                "Contraindicated; when it is taken already, it is to be stopped.",
            ),
            Band(
                "30-to-45",
                closed(30, 45),
                Action.NOT_STARTED,
                "Starting it is not recommended. When it is taken already and eGFR has fallen below 45, benefit and "
                "risk of going on are to be weighed.",
            ),
        ),
        label=Label(
            "Metformin hydrochloride tablets, US label",
            "sections 2.3 and 4",
            "version 17 of 2026-07-15",
            _DAILYMED + "c82a10fa-1e8e-46b6-890a-737de3f34ee1",
            copy="DailyMed's document of that version, kept byte for byte in a public repository",
        ),
    ),
    RenalRow(
        name="dabigatran",
        ingredients=_rxnorm("1037042"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(
            Band("below-15", below(15), Action.NO_DOSE, "The label can give no dose, for no indication."),
            Band(
                "15-to-30",
                closed(15, 30),
                Action.REDUCE,
                "In nonvalvular atrial fibrillation 75 mg twice daily; for venous thromboembolism the label can give "
                "no dose.",
            ),
        ),
        label=Label(
            "Pradaxa (dabigatran etexilate) capsules, US label",
            "section 2.1",
            "",
            _DAILYMED + "ba74e3cd-b06f-4145-b284-5fd6b84ff3c9",
            copy="https://recallguide.org/manufacturer/boehringer-ingelheim-pharmaceuticals-inc",
        ),
        note="Adults. Inhibitors of P-glycoprotein ask for more at up to 50 mL/min; this row does not look at them.",
    ),
    RenalRow(
        name="rivaroxaban",
        ingredients=_rxnorm("1114195"),
        metric=Metric.CLEARANCE,
        weight="The label asks for creatinine clearance with actual body weight.",
        bands=(
            Band(
                "below-15",
                below(15),
                Action.AVOID,
                "For venous thromboembolism it is to be avoided. For atrial fibrillation an earlier label said the "
                "same; the text read gives 15 mg once daily without a lower end.",
            ),
            Band(
                "15-to-50",
                closed(15, 50),
                Action.REDUCE,
                "In nonvalvular atrial fibrillation 15 mg once daily with the evening meal instead of 20 mg; for "
                "venous thromboembolism the dose stays.",
            ),
        ),
        label=Label(
            "Xarelto (rivaroxaban) tablets, US label",
            "sections 2.1 and 8.6",
            "",
            _DAILYMED + "10db92f9-2300-4a80-836b-673e1ae91610",
            copy="https://xareltohcp.com/cadpad/chronic/dosing",
        ),
    ),
    RenalRow(
        name="edoxaban",
        ingredients=_rxnorm("1599538"),
        metric=Metric.CLEARANCE,
        weight=_EQUATION,
        bands=(
            Band(
                "below-15",
                below(15),
                Action.NO_DOSE,
                "The label's dosing section gives a dose from 15 mL/min upward and none below.",
            ),
            Band(
                "15-to-50",
                closed(15, 50),
                Action.REDUCE,
                "30 mg once daily instead of 60 mg, in nonvalvular atrial fibrillation and for venous thromboembolism.",
            ),
            Band(
                "above-95",
                above(95),
                Action.AVOID,
                "In nonvalvular atrial fibrillation it is not to be used: it protected less from ischaemic stroke than "
                "warfarin did (boxed warning).",
            ),
        ),
        label=Label(
            "Savaysa (edoxaban) tablets, US label",
            "sections 2.1 and 2.2, boxed warning",
            "",
            _DAILYMED + "e77d3400-56ad-11e3-949a-0800200c9a66",
            copy="https://themeditary.com/dosage-information/savaysa-dosage-4020.html",
        ),
    ),
    RenalRow(
        name="enoxaparin",
        ingredients=_rxnorm("67108"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(
            Band(
                "below-30",
                below(30),
                Action.REDUCE,
                "Prophylaxis: 30 mg subcutaneously once daily. Treatment: 1 mg/kg subcutaneously once daily.",
            ),
        ),
        label=Label(
            "Enoxaparin sodium injection, US label",
            "section 2.3, table 1",
            "",
            "https://medlibrary.org/lib/rx/meds/enoxaparin-sodium-12/page/2/",
        ),
        note="From 30 to 80 mL/min the label leaves the dose and asks to watch for bleeding.",
    ),
    RenalRow(
        name="gabapentin",
        ingredients=_rxnorm("25480"),
        metric=Metric.CLEARANCE,
        weight=_EQUATION,
        bands=(
            Band(
                "15-or-below",
                at_most(15),
                Action.REDUCE,
                "100 to 300 mg a day in one dose at 15 mL/min, and in proportion less below.",
            ),
            Band("above-15-to-30", above_to(15, 30), Action.REDUCE, "200 to 700 mg a day in one dose."),
            Band("above-30-to-60", between(30, 60), Action.REDUCE, "400 to 1400 mg a day in two doses."),
        ),
        label=Label(
            "Neurontin (gabapentin), US label",
            "section 2.3, table 1",
            "version 48 of 2026-05-12",
            _DAILYMED + "97935fd9-1d4a-43b6-a5d9-de994591187b",
            copy="DailyMed's document of that version, kept byte for byte in a public repository",
        ),
        note="The label's table is for products taken three times a day when the kidneys are well.",
    ),
    RenalRow(
        name="pregabalin",
        ingredients=_rxnorm("187832"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(
            Band(
                "below-60",
                below(60),
                Action.REDUCE,
                "The full doses of the label are for 60 mL/min and above; below, the dose is to be taken from the "
                "label's table for renal impairment.",
            ),
        ),
        label=Label(
            "Lyrica (pregabalin) capsules, US label",
            "sections 2.2, 2.3 and 2.7",
            "",
            "https://www.healthgrades.com/drugs/feed/lyrica/dosage",
            copy="http://www.druglib.com/druginfo/lyrica/indications_dosage/",
        ),
        note="The ranges of the table itself (30 to 60, 15 to 30, below 15) were read in part only and are not judged.",
    ),
    RenalRow(
        name="allopurinol",
        ingredients=_rxnorm("519"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(
            Band(
                "below-3",
                below(3),
                Action.EXTEND,
                "At most 100 mg a day, and the interval between doses may have to be longer than a day.",
            ),
            Band("3-to-10", from_to_below(3, 10), Action.REDUCE, "At most 100 mg a day."),
            Band("10-to-20", closed(10, 20), Action.REDUCE, "200 mg a day is suitable."),
        ),
        label=Label(
            "Allopurinol tablets, US label",
            "dosage and administration",
            "",
            "https://globalrph.com/renal/allopurinol/",
        ),
    ),
    RenalRow(
        name="memantine",
        ingredients=_rxnorm("6719"),
        metric=Metric.CLEARANCE,
        weight=_EQUATION,
        bands=(
            Band("below-5", below(5), Action.NO_DOSE, "The label's range ends at 5 mL/min."),
            Band("5-to-30", from_to_below(5, 30), Action.REDUCE, "A target dose of 5 mg twice daily."),
        ),
        label=Label(
            "Namenda (memantine) tablets and oral solution, US label",
            "dosage and administration, special populations",
            "",
            "http://www.drugs.com/dosage/namenda.html",
        ),
        note="Immediate release.",
    ),
    RenalRow(
        name="valacyclovir",
        ingredients=_rxnorm("73645"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(
            Band(
                "below-10",
                below(10),
                Action.REDUCE,
                "Zoster and most other indications: 500 mg every 24 hours; cold sores: 500 mg once.",
            ),
            Band(
                "10-to-30",
                from_to_below(10, 30),
                Action.REDUCE,
                "Zoster and a first episode of genital herpes: 1 g every 24 hours; recurrence: 500 mg every 24 hours; "
                "cold sores: two doses of 500 mg, 12 hours apart.",
            ),
            Band(
                "30-to-50",
                from_to_below(30, 50),
                Action.REDUCE,
                "Zoster: 1 g every 12 hours; cold sores: two doses of 1 g, 12 hours apart; genital herpes: as usual.",
            ),
        ),
        label=Label(
            "Valacyclovir tablets, US label",
            "section 2.4, table 1",
            "",
            "https://medlibrary.org/lib/rx/meds/valacyclovir-hydrochloride-53/page/2/",
        ),
    ),
    RenalRow(
        name="levofloxacin",
        ingredients=_rxnorm("82122"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(
            Band(
                "below-10",
                below(10),
                Action.NO_DOSE,
                "The label's table ends at 10 mL/min, besides dialysis, and asks for an adjusted regimen below 50.",
            ),
            Band(
                "10-to-20",
                from_to_below(10, 20),
                Action.EXTEND,
                "A usual 750 mg daily becomes 750 mg once and then 500 mg every 48 hours; other regimens by the "
                "label's table.",
            ),
            Band(
                "20-to-50",
                from_to_below(20, 50),
                Action.EXTEND,
                "A usual 750 mg daily becomes 750 mg every 48 hours; a usual 500 mg daily becomes 500 mg once and then "
                "250 mg daily.",
            ),
        ),
        label=Label(
            "Levofloxacin, US label",
            "sections 2.1 and 2.3, table 3",
            "",
            _DAILYMED + "5a65b2bc-9edc-f193-e063-6394a90a0104",
            copy="https://globalrph.com/renal/levofloxacin/, and table 3 quoted in a public review of formulary pages",
        ),
    ),
    RenalRow(
        name="cephalexin",
        ingredients=_rxnorm("2231"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(
            Band("below-1", below(1), Action.NO_DOSE, "The label's table ends at 1 mL/min."),
            Band("1-to-5", from_to_below(1, 5), Action.EXTEND, "Not yet on dialysis: 250 mg every 48 or 60 hours."),
            Band("5-to-15", from_to_below(5, 15), Action.EXTEND, "Not yet on dialysis: 250 mg every 24 hours."),
            Band("15-to-30", from_to_below(15, 30), Action.EXTEND, "250 mg every 8 or 12 hours."),
            Band("30-to-60", from_to_below(30, 60), Action.REDUCE, "Not more than 1 g a day."),
        ),
        label=Label(
            "Cephalexin capsules, US label",
            "section 2.3, table 1",
            "",
            _DAILYMED + "8e28f049-6110-4473-830f-c494191a7197",
            copy="quoted word for word in a public review of formulary pages",
        ),
    ),
    RenalRow(
        name="lamivudine",
        ingredients=_rxnorm("68244"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(
            Band("below-5", below(5), Action.REDUCE, "HIV-1: 50 mg as first dose, then 25 mg once daily."),
            Band("5-to-15", from_to_below(5, 15), Action.REDUCE, "HIV-1: 150 mg as first dose, then 50 mg once daily."),
            Band(
                "15-to-30", from_to_below(15, 30), Action.REDUCE, "HIV-1: 150 mg as first dose, then 100 mg once daily."
            ),
            Band("30-to-50", from_to_below(30, 50), Action.REDUCE, "HIV-1: 150 mg once daily."),
        ),
        label=Label(
            "Epivir (lamivudine), US label",
            "section 2.3, table 2",
            "",
            _DAILYMED + "89226149-47fa-4f7d-bb1f-1aa7034486b8",
            copy="quoted word for word in a public review of formulary pages",
        ),
    ),
    RenalRow(
        name="tramadol",
        ingredients=_rxnorm("10689"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(Band("below-30", below(30), Action.EXTEND, "Every 12 hours, and at most 200 mg a day."),),
        label=Label(
            "Tramadol hydrochloride tablets, US label",
            "section 2.2",
            "",
            "https://medlibrary.org/lib/rx/meds/tramadol-hydrochloride-85/page/2/",
        ),
        note="Immediate-release tablets.",
    ),
    RenalRow(
        name="nitrofurantoin",
        ingredients=_rxnorm("7454"),
        metric=Metric.CLEARANCE,
        weight=_UNNAMED,
        bands=(Band("below-60", below(60), Action.CONTRAINDICATED, "Contraindicated."),),
        label=Label(
            "Macrobid (nitrofurantoin) capsules, US label",
            "contraindications",
            "as discussed in Ann Pharmacother 2013;47:106-111",
            "https://pubmed.ncbi.nlm.nih.gov/23341159/",
            copy="https://www.droracle.ai/articles/64653/when-is-macrobid-nitrofurantoin-contraindicated",
        ),
        note="The evidence behind 60 mL/min is doubted in the paper cited; the row gives what the label says.",
    ),
)
"""One row a medicine."""
