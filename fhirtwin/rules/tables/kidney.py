"""Potassium, lithium and the kidney: diuretics, ACE inhibitors, angiotensin receptor blockers, NSAIDs."""

from __future__ import annotations

from typing import Final

from fhirtwin.rules.findings import Citation, Severity
from fhirtwin.rules.orderable import CREATININE, LITHIUM, POTASSIUM
from fhirtwin.rules.tables.model import Interaction, label, of
from fhirtwin.terms.coding import Coding

_C, _W, _I = Severity.CRITICAL, Severity.WARNING, Severity.INFO
_RAS = "ace-inhibitors, arbs"
_LITHIUM_UP = "lithium rises, toxicity"
_POTASSIUM_UP = "hyperkalemia"
_ZESTRIL = label("lisinopril (Zestril), 4 and 5.5", "838c2d78-d2d8-4981-9ec9-e50ef9e1a5d8", "2025-01-02")
_TELMISARTAN = label("telmisartan, 5.6", "d7c9bd41-9558-46e1-ab03-82cdf85db3fe", "2023-01-19")
_ALDACTONE = label("spironolactone (Aldactone), 5.1 and 7.1", "0fed2822-3a03-4b64-9857-c682fcd462bc", "2025-11-28")
_LITHOBID = Citation(
    "FDA label: lithium (Lithobid), Precautions, drug interactions",
    "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query=lithobid",
)


def _row(
    id_: str,
    left: str,
    right: str,
    severity: Severity,
    effect: str,
    advice: str,
    source: Citation,
    request: Coding | None = None,
    known_by: str = "",
) -> Interaction:
    return Interaction(id_, of(left), of(right), severity, effect, advice, (source,), request, known_by)


ROWS: Final = (
    _row(
        "lithium-nsaids",
        "lithium",
        "nsaids",
        _W,
        _LITHIUM_UP,
        "The label asks to monitor lithium levels closely when an NSAID is started or stopped.",
        _LITHOBID,
        LITHIUM,
        "lithium-level",
    ),
    _row(
        "lithium-ras",
        "lithium",
        _RAS,
        _W,
        _LITHIUM_UP,
        "The label says that lithium may rise substantially: its dose may need to be lowered, and levels measured "
        "more often.",
        label("lithium carbonate, Precautions", "d276da3c-9952-4674-a54d-b1258df71b8a", "2025-11-13"),
        LITHIUM,
        "lithium-level",
    ),
    _row(
        "lithium-diuretics",
        "lithium",
        "hydrochlorothiazide, chlorthalidone, indapamide, metolazone, furosemide, torsemide, bumetanide",
        _W,
        _LITHIUM_UP,
        "The label of lithium says of diuretics that sodium loss may raise lithium: monitor electrolytes and lithium "
        "more "
        "often, and reduce its dose by level and response.",
        label("lithium carbonate, 7.1", "d3284649-ed4c-4096-987b-4ac16b8278f2", "2023-10-02"),
        LITHIUM,
        "lithium-level",
    ),
    _row(
        "ras-spironolactone",
        "spironolactone",
        _RAS,
        _I,
        _POTASSIUM_UP,
        "The label asks for serum potassium within a week of starting or changing either, and regularly.",
        _ALDACTONE,
        POTASSIUM,
        "potassium",
    ),
    _row(
        "spironolactone-potassium",
        "spironolactone",
        "potassium chloride",
        _W,
        "severe hyperkalemia",
        "The label says that potassium supplements with spironolactone may lead to severe hyperkalemia.",
        _ALDACTONE,
        POTASSIUM,
        "potassium",
    ),
    _row(
        "ras-eplerenone",
        "eplerenone",
        _RAS,
        _I,
        _POTASSIUM_UP,
        "The label asks to monitor potassium, and to adjust the dose when it rises.",
        label("eplerenone (Inspra), 5.1", "1a52bedc-8e2c-4116-a296-a87770676b4a", "2025-06-23"),
        POTASSIUM,
        "potassium",
    ),
    _row(
        "ace-inhibitor-potassium",
        "lisinopril",
        "potassium chloride, triamterene",
        _I,
        _POTASSIUM_UP,
        "The label names potassium supplements and potassium-sparing diuretics as risks: check potassium periodically.",
        _ZESTRIL,
        POTASSIUM,
        "potassium",
    ),
    _row(
        "ace-inhibitor-arb",
        "ace-inhibitors",
        "arbs",
        _W,
        "hypotension, hyperkalemia, kidney failure",
        "Dual blockade of the renin-angiotensin system: the label says to avoid it in general, for no benefit in most "
        "patients; else monitor blood pressure, kidney function and electrolytes closely.",
        _TELMISARTAN,
        POTASSIUM,
        "potassium",
    ),
    _row(
        "ras-aliskiren",
        "aliskiren",
        _RAS,
        _W,
        "hypotension, hyperkalemia, kidney failure",
        "Dual blockade of the renin-angiotensin system: the label says to avoid it in general.",
        _TELMISARTAN,
        POTASSIUM,
        "potassium",
    ),
    _row(
        "sacubitril-ace-inhibitor",
        "sacubitril",
        "ace-inhibitors",
        _C,
        "angioedema",
        "The label contraindicates the two together, and within 36 hours of changing from one to the other.",
        _ZESTRIL,
    ),
    _row(
        "cotrimoxazole-ace-inhibitor",
        "sulfamethoxazole",
        "ace-inhibitors",
        _W,
        _POTASSIUM_UP,
        "The label of sulfamethoxazole and trimethoprim says to avoid an ACE inhibitor beside it.",
        label(
            "sulfamethoxazole and trimethoprim (Bactrim), Precautions",
            "f59d0c04-9c66-4d53-a0e1-cb55570deb62",
            "2024-12-30",
        ),
        POTASSIUM,
        "potassium",
    ),
    _row(
        "nsaids-ras",
        "nsaids",
        _RAS,
        _I,
        "kidney function may worsen, less effect",
        "The label asks to monitor blood pressure, and kidney function at the beginning and periodically, in the "
        "elderly, the "
        "volume-depleted (also by diuretics) and those with impaired kidneys.",
        label("ibuprofen (Caldolor), 7", "1eaa7790-f1a1-4f51-b10a-cbbaf033f684", "2025-02-14"),
        CREATININE,
        "creatinine",
    ),
    _row(
        "methotrexate-nsaids",
        "methotrexate",
        "nsaids",
        _W,
        "methotrexate toxicity",
        "The label asks for caution at low doses; with high doses, deaths were reported.",
        label("methotrexate (Xatmep), 7", "aec9984e-34c5-481b-b6bf-9bb5caf1daf8", "2026-05-28"),
    ),
    _row(
        "methotrexate-trimethoprim",
        "methotrexate",
        "trimethoprim",
        _W,
        "bone marrow suppression",
        "Fatal cases were reported. The regulator says to avoid trimethoprim and co-trimoxazole in patients who take "
        "methotrexate whenever possible, and else to warn of the symptoms.",
        Citation(
            "Medsafe Prescriber Update 43(1): 6-7, methotrexate and trimethoprim or co-trimoxazole, 2022-03-03",
            "https://medsafe.govt.nz/profs/PUArticles/March2022/Bone-marrow-suppression-methotrexate-and-trimethoprim-"
            "or-co-trimoxazole.html",
        ),
    ),
    _row(
        "gentamicin-furosemide",
        "gentamicin",
        "furosemide",
        _W,
        "hearing loss",
        "Boxed warning: the label says to avoid gentamicin with potent diuretics such as furosemide.",
        label("gentamicin injection, boxed warning", "913a36c3-50d6-429a-a8dd-a03126d2ca08", "2025-10-31"),
    ),
)
