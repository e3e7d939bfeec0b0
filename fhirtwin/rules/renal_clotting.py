"""Renal dosing of medicines against clotting."""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.interval import above, below, closed
from fhirtwin.rules.renal_row import Action, Band, Label, Metric, RenalRow
from fhirtwin.rules.renal_words import DAILYMED, EQUATION, UNNAMED, rxnorm

ROWS: Final[tuple[RenalRow, ...]] = (
    RenalRow(
        name="dabigatran",
        ingredients=rxnorm("1037042"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
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
            DAILYMED + "ba74e3cd-b06f-4145-b284-5fd6b84ff3c9",
            copy="https://recallguide.org/manufacturer/boehringer-ingelheim-pharmaceuticals-inc",
        ),
        note="Adults. Inhibitors of P-glycoprotein ask for more at up to 50 mL/min; this row does not look at them.",
    ),
    RenalRow(
        name="rivaroxaban",
        ingredients=rxnorm("1114195"),
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
            DAILYMED + "10db92f9-2300-4a80-836b-673e1ae91610",
            copy="https://xareltohcp.com/cadpad/chronic/dosing",
        ),
    ),
    RenalRow(
        name="edoxaban",
        ingredients=rxnorm("1599538"),
        metric=Metric.CLEARANCE,
        weight=EQUATION,
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
            DAILYMED + "e77d3400-56ad-11e3-949a-0800200c9a66",
            copy="https://themeditary.com/dosage-information/savaysa-dosage-4020.html",
        ),
    ),
    RenalRow(
        name="enoxaparin",
        ingredients=rxnorm("67108"),
        metric=Metric.CLEARANCE,
        weight=UNNAMED,
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
)
"""One row a medicine."""
