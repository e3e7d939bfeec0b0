"""Renal dosing of medicines for mind, nerves and pain."""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.interval import above_to, at_most, below, between, from_to_below
from fhirtwin.rules.renal_row import Action, Band, Label, Metric, RenalRow
from fhirtwin.rules.renal_words import DAILYMED, EQUATION, UNNAMED, rxnorm

ROWS: Final[tuple[RenalRow, ...]] = (
    RenalRow(
        name="gabapentin",
        ingredients=rxnorm("25480"),
        metric=Metric.CLEARANCE,
        weight=EQUATION,
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
            DAILYMED + "97935fd9-1d4a-43b6-a5d9-de994591187b",
            copy="DailyMed's document of that version, kept byte for byte in a public repository",
        ),
        note="The label's table is for products taken three times a day when the kidneys are well.",
    ),
    RenalRow(
        name="pregabalin",
        ingredients=rxnorm("187832"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
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
        name="memantine",
        ingredients=rxnorm("6719"),
        metric=Metric.CLEARANCE,
        weight=EQUATION,
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
        name="duloxetine",
        ingredients=rxnorm("72625"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
        bands=(Band("below-30", below(30), Action.CONTRAINDICATED, "Contraindicated."),),
        label=Label(
            "Cymbalta (duloxetine) capsules, European label (SmPC)",
            "contraindications",
            "reviewed by the manufacturer on 2018-11-15",
            "https://www.lillymedical.eu/en-gb/answers/cymbalta-duloxetine-contraindiciations-89738",
        ),
    ),
    RenalRow(
        name="paliperidone",
        ingredients=rxnorm("679314"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
        bands=(
            Band("below-10", below(10), Action.AVOID, "Not studied, and its use is not recommended."),
            Band("10-to-50", from_to_below(10, 50), Action.REDUCE, "Begin with 1.5 mg once daily; at most 3 mg."),
            Band("50-to-80", from_to_below(50, 80), Action.REDUCE, "Begin with 3 mg once daily; at most 6 mg."),
        ),
        label=Label(
            "Invega (paliperidone) extended-release tablets, US label",
            "dosage in renal impairment",
            "",
            "https://globalrph.com/renal/paliperidone",
            copy="there, where the label is quoted; the same ranges and doses in http://drugs.com/dosage/paliperidone.html",
        ),
        note="Tablets. Injections that act for a month or longer have doses of their own.",
    ),
    RenalRow(
        name="tramadol",
        ingredients=rxnorm("10689"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
        bands=(Band("below-30", below(30), Action.EXTEND, "Every 12 hours, and at most 200 mg a day."),),
        label=Label(
            "Tramadol hydrochloride tablets, US label",
            "section 2.2",
            "",
            "https://medlibrary.org/lib/rx/meds/tramadol-hydrochloride-85/page/2/",
        ),
        note="Immediate-release tablets.",
    ),
)
"""One row a medicine."""
