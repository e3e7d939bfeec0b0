"""Renal dosing of medicines against infections."""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.interval import at_most, below, closed, from_to_below
from fhirtwin.rules.renal_row import Action, Band, Label, Metric, RenalRow
from fhirtwin.rules.renal_words import DAILYMED, EQUATION, UNNAMED, rxnorm

ROWS: Final[tuple[RenalRow, ...]] = (
    RenalRow(
        name="valacyclovir",
        ingredients=rxnorm("73645"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
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
        ingredients=rxnorm("82122"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
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
            DAILYMED + "5a65b2bc-9edc-f193-e063-6394a90a0104",
            copy="https://medlibrary.org/lib/rx/meds/levofloxacin-30/page/3/, and table 3 in a public review of "
            "formulary pages that quotes it word for word",
        ),
    ),
    RenalRow(
        name="ciprofloxacin",
        ingredients=rxnorm("2551"),
        metric=Metric.CLEARANCE,
        weight=EQUATION,
        bands=(
            Band("below-5", below(5), Action.NO_DOSE, "The label's table ends at 5 mL/min, besides dialysis."),
            Band("5-to-30", from_to_below(5, 30), Action.EXTEND, "By mouth 250 to 500 mg every 18 hours."),
            Band("30-to-50", closed(30, 50), Action.REDUCE, "By mouth 250 to 500 mg every 12 hours."),
        ),
        label=Label(
            "Ciprofloxacin, US label",
            "section 2.3, table 4",
            "",
            "https://rxdruglabels.com/lib/rx/rx-meds/ciprofloxacin-108/page/3/",
        ),
        note="By mouth. In severe infections with severe impairment the label allows 750 mg at the same intervals.",
    ),
    RenalRow(
        name="fluconazole",
        ingredients=rxnorm("4450"),
        metric=Metric.CLEARANCE,
        weight=EQUATION,
        bands=(
            Band(
                "50-or-below",
                at_most(50),
                Action.REDUCE,
                "With more than one dose: the first dose of 50 to 400 mg as usual, then half of the daily dose.",
            ),
        ),
        label=Label(
            "Fluconazole tablets, US label",
            "dosage in patients with impaired renal function",
            "",
            "https://medlibrary.org/lib/rx/meds/fluconazole-9/page/8/",
        ),
        note="A single dose for vaginal candidiasis stays as it is.",
    ),
    RenalRow(
        name="cephalexin",
        ingredients=rxnorm("2231"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
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
            DAILYMED + "8e28f049-6110-4473-830f-c494191a7197",
            copy="a public review of formulary pages that quotes the table word for word; the monograph "
            "https://www.empr.com/drug/cephalexin/ gives the same ranges",
        ),
    ),
    RenalRow(
        name="nitrofurantoin",
        ingredients=rxnorm("7454"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
        bands=(Band("below-60", below(60), Action.CONTRAINDICATED, "Contraindicated."),),
        label=Label(
            "Nitrofurantoin monohydrate/macrocrystals capsules, US label",
            "contraindications",
            "",
            "http://www.druglib.com/druginfo/nitrofurantoin/interactions_overdosage_contraindications/",
        ),
        note="British labels contraindicate it at an eGFR below 45 mL/min instead.",
    ),
    RenalRow(
        name="lamivudine",
        ingredients=rxnorm("68244"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
        bands=(
            Band(
                "below-5",
                below(5),
                Action.REDUCE,
                "HIV-1: 50 mg as first dose, then 25 mg once daily. "
                "Hepatitis B: 35 mg as first dose, then 10 mg once daily.",
            ),
            Band(
                "5-to-15",
                from_to_below(5, 15),
                Action.REDUCE,
                "HIV-1: 150 mg as first dose, then 50 mg once daily. "
                "Hepatitis B: 35 mg as first dose, then 15 mg once daily.",
            ),
            Band(
                "15-to-30",
                from_to_below(15, 30),
                Action.REDUCE,
                "HIV-1: 150 mg as first dose, then 100 mg once daily. "
                "Hepatitis B: 100 mg as first dose, then 25 mg once daily.",
            ),
            Band(
                "30-to-50",
                from_to_below(30, 50),
                Action.REDUCE,
                "HIV-1: 150 mg once daily. Hepatitis B: 100 mg as first dose, then 50 mg once daily.",
            ),
        ),
        label=Label(
            "Epivir and Epivir-HBV (lamivudine), US labels",
            "section 2.3, table 2 (Epivir), and table 1 of adults with reduced renal function (Epivir-HBV)",
            "",
            DAILYMED + "89226149-47fa-4f7d-bb1f-1aa7034486b8",
            copy="https://themeditary.com/dosage-information/epivir-hbv-dosage-2499.html (Epivir-HBV), and a public "
            "review of formulary pages that quotes the table word for word (Epivir)",
        ),
    ),
)
"""One row a medicine."""
