"""Renal dosing of medicines for diabetes, gout, heart and bladder."""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.interval import at_most, below, between, closed, from_to_below
from fhirtwin.rules.renal_row import Action, Band, Label, Metric, RenalRow
from fhirtwin.rules.renal_words import COCKCROFT, DAILYMED, UNNAMED, rxnorm

ROWS: Final[tuple[RenalRow, ...]] = (
    RenalRow(
        name="metformin",
        ingredients=rxnorm("6809"),
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
            DAILYMED + "c82a10fa-1e8e-46b6-890a-737de3f34ee1",
            copy="DailyMed's document of that version, kept byte for byte in a public repository",
        ),
    ),
    RenalRow(
        name="sitagliptin",
        ingredients=rxnorm("593411"),
        metric=Metric.EGFR,
        bands=(
            Band("below-30", below(30), Action.REDUCE, "25 mg once daily."),
            Band("30-to-45", from_to_below(30, 45), Action.REDUCE, "50 mg once daily."),
        ),
        label=Label(
            "Januvia (sitagliptin) tablets, US label",
            "section 2.2",
            "",
            "https://prescriberpoint.com/therapies/januvia-f85a48d",
        ),
    ),
    RenalRow(
        name="saxagliptin",
        ingredients=rxnorm("857974"),
        metric=Metric.EGFR,
        bands=(Band("below-45", below(45), Action.REDUCE, "2.5 mg once daily."),),
        label=Label(
            "Onglyza (saxagliptin) tablets, US label",
            "dosage in patients with renal impairment",
            "",
            "https://themeditary.com/dosage-information/onglyza-dosage-967.html",
        ),
    ),
    RenalRow(
        name="allopurinol",
        ingredients=rxnorm("519"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
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
            "Apo-Allopurinol (allopurinol) tablets, full prescribing information, Singapore",
            "dosage in renal impairment",
            "",
            "https://www.mims.com/singapore/drug/info/apo-allopurinol?type=full",
            copy="there, and in the same words of the US label as https://globalrph.com/renal/allopurinol/ quotes them",
        ),
    ),
    RenalRow(
        name="eplerenone",
        ingredients=rxnorm("298869"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
        bands=(
            Band("30-or-below", at_most(30), Action.CONTRAINDICATED, "Contraindicated in all patients."),
            Band(
                "above-30-to-50",
                between(30, 50),
                Action.BY_INDICATION,
                "Contraindicated in hypertension. In heart failure after a myocardial infarction it is not.",
            ),
        ),
        label=Label(
            "Inspra (eplerenone) tablets, US label",
            "section 4, as its highlights give it",
            "",
            "https://www.pfizermedicalinformation.sa/en-us/inspra/highlights",
        ),
    ),
    RenalRow(
        name="dofetilide",
        ingredients=rxnorm("49247"),
        metric=Metric.CLEARANCE,
        weight="The label gives the equation of Cockcroft and Gault with actual body weight.",
        bands=(
            Band("below-20", below(20), Action.CONTRAINDICATED, "Contraindicated."),
            Band("20-to-40", from_to_below(20, 40), Action.REDUCE, "Begin with 125 micrograms twice daily."),
            Band("40-to-60", closed(40, 60), Action.REDUCE, "Begin with 250 micrograms twice daily."),
        ),
        label=Label(
            "Dofetilide capsules, US label",
            "instructions for individualized dose initiation, step 3",
            "",
            "https://medlibrary.org/lib/rx/meds/dofetilide-5/page/8/",
        ),
        note="The label asks for QTc too, before the first dose and after each of the first five; this row reads none.",
    ),
    RenalRow(
        name="tolterodine",
        ingredients=rxnorm("119565"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
        bands=(
            Band("below-10", below(10), Action.AVOID, "Not recommended."),
            Band("10-to-30", closed(10, 30), Action.REDUCE, "2 mg once daily instead of 4 mg."),
        ),
        label=Label(
            "Detrol LA (tolterodine) extended-release capsules, US label",
            "section 2.2, as its highlights give it",
            "",
            "https://www.pfizermedicalinformation.com/en-us/detrol-la/highlights",
        ),
        note="Extended-release capsules.",
    ),
    RenalRow(
        name="fesoterodine",
        ingredients=rxnorm("797195"),
        metric=Metric.CLEARANCE,
        weight=COCKCROFT,
        bands=(Band("below-30", below(30), Action.REDUCE, "4 mg once daily; 8 mg is for 30 mL/min and above."),),
        label=Label(
            "Toviaz (fesoterodine) extended-release tablets, US label",
            "dosage and administration, table 1",
            "changes of 6/2021 included",
            "https://www.rxgo.com/drug/toviaz-coupon/prescribing",
        ),
    ),
    RenalRow(
        name="solifenacin",
        ingredients=rxnorm("322167"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
        bands=(Band("30-or-below", at_most(30), Action.REDUCE, "With caution, and at most 5 mg once daily."),),
        label=Label(
            "Vesicare (solifenacin) tablets, label as registered with the Health Sciences Authority of Singapore",
            "dosage in patients with renal impairment",
            "",
            "https://trial.medpath.com/drug/approvals/hsa/0ee3baa2a1046f59",
        ),
        note="The label contraindicates it together with a potent inhibitor of CYP3A4 in severe renal impairment.",
    ),
)
"""One row a medicine."""
