"""Monitoring: rows whose interval was read in a label, a guideline or a national service, and nothing else.

A source asks for more at the beginning of a treatment than later. A record seldom tells when treatment began (an order
may be a renewal), so each row holds the longest interval of its source: what is due by it is due at any stage. The
shorter ones are told in words.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fhirtwin.rules.findings import Citation
from fhirtwin.rules.monitoring_row import Check, Due, MonitoringRow
from fhirtwin.terms.coding import Coding
from fhirtwin.terms.drugs import members
from fhirtwin.terms.systems import LOINC

_MONTH: Final = timedelta(days=31)
_QUARTER: Final = timedelta(days=92)
_HALF_YEAR: Final = timedelta(days=184)
_YEAR: Final = timedelta(days=366)
"""Calendar intervals at their longest, so that nothing is due early."""


def _check(key: str, title: str, facts: str, code: str, display: str) -> Check:
    return Check(key, title, tuple(facts.split()), Coding(LOINC, code, display))


LITHIUM_LEVEL: Final = _check(
    "lithium-level", "lithium level", "lithium-level", "14334-7", "Lithium [Moles/volume] in Serum or Plasma"
)
KIDNEY: Final = _check(
    "kidney", "creatinine or eGFR", "creatinine egfr", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma"
)
THYROID: Final = _check("thyroid", "TSH", "tsh", "3016-3", "Thyrotropin [Units/volume] in Serum or Plasma")
CALCIUM: Final = _check("calcium", "calcium", "calcium", "17861-6", "Calcium [Mass/volume] in Serum or Plasma")
POTASSIUM: Final = _check(
    "potassium", "potassium", "potassium", "2823-3", "Potassium [Moles/volume] in Serum or Plasma"
)
INR: Final = _check("inr", "INR", "inr", "6301-6", "INR in Platelet poor plasma by Coagulation assay")
NEUTROPHILS: Final = _check(
    "neutrophils",
    "absolute neutrophil count",
    "neutrophils",
    "751-8",
    "Neutrophils [#/volume] in Blood by Automated count",
)
HEMOGLOBIN: Final = _check("hemoglobin", "hemoglobin", "hemoglobin", "718-7", "Hemoglobin [Mass/volume] in Blood")
PLATELETS: Final = _check(
    "platelets", "platelets", "platelets", "777-3", "Platelets [#/volume] in Blood by Automated count"
)
CREATININE: Final = _check(
    "creatinine", "creatinine", "creatinine", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma"
)
GLUCOSE: Final = _check(
    "glucose", "glucose or HbA1c", "glucose hba1c", "2345-7", "Glucose [Mass/volume] in Serum or Plasma"
)
LIPIDS: Final = _check(
    "lipids",
    "lipids",
    "total-cholesterol ldl-cholesterol triglycerides",
    "57698-3",
    "Lipid panel with direct LDL - Serum or Plasma",
)
WEIGHT: Final = _check("weight", "body weight", "body-weight bmi", "29463-7", "Body weight")
PRESSURE: Final = _check(
    "blood-pressure",
    "blood pressure",
    "systolic-bp",
    "85354-9",
    "Blood pressure panel with all children optional",
)
LIVER: Final = _check(
    "liver",
    "ALT or AST",
    "alt ast",
    "1742-6",
    "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma",
)

MAGNESIUM: Final = _check(
    "magnesium", "magnesium", "magnesium", "19123-9", "Magnesium [Mass/volume] in Serum or Plasma"
)
QTC: Final = _check("qtc", "QTc by ECG", "qtc-interval", "8636-3", "Q-T interval corrected")

_SPS_LITHIUM: Final = Citation(
    "Lithium monitoring, NHS Specialist Pharmacy Service; read on 2026-11-21",
    "https://www.sps.nhs.uk/monitorings/lithium-monitoring/",
)
_ACE: Final = Citation(
    "ACE inhibitors, formulary of NHS Somerset; read on 2026-11-21",
    "https://formulary.nhssomerset.nhs.uk/?page_id=496",
)
_NICE_RAAS: Final = Citation(
    "NICE on angiotensin receptor blockers, as a general practice gives it; read on 2026-11-21",
    "https://citywaymedicalpractice.co.uk/pages/ACE-Inhibitors-and-ARBs---Patient-Information-Leaflet",
)
_SPIRONOLACTONE: Final = Citation(
    "Spironolactone monitoring, NHS Specialist Pharmacy Service; read on 2026-11-21",
    "https://www.sps.nhs.uk/monitorings/spironolactone-monitoring/",
)
_WARFARIN: Final = Citation(
    "Warfarin sodium tablets, US label, section 2.4; read on 2026-11-21",
    "https://medlibrary.org/lib/rx/meds/warfarin-sodium-43/page/2/",
)
_CLOZAPINE: Final = Citation(
    "Clozaril (clozapine), US label, as adapted in CNS Drugs 2022;36:659-679, table 6; read on 2026-11-21",
    "https://pmc.ncbi.nlm.nih.gov/articles/PMC9243911/table/Tab6",
)
_METFORMIN: Final = Citation(
    "Metformin, US label of 2016 as given in J Am Soc Nephrol 2017;28:2263-2274, table 3; read on 2026-11-21",
    "https://pmc.ncbi.nlm.nih.gov/articles/PMC5533243/table/t3",
)
_METFORMIN_BLOOD: Final = Citation(
    "Metformin hydrochloride tablets, US label, section 5; read on 2026-11-21",
    "https://prescriberpoint.com/therapies/metformin-hydrochloride-2387a61",
)
_ANTIPSYCHOTICS: Final = Citation(
    "ADA, APA, AACE and NAASO consensus on antipsychotic drugs, Diabetes Care 2004;27:596-601, monitoring protocol as "
    "reprinted in J Am Board Fam Med; read on 2026-11-21",
    "https://www.jabfm.org/highwire/markup/7367/expansion",
)
_AMIODARONE: Final = Citation(
    "Amiodarone monitoring, NHS Specialist Pharmacy Service; read on 2026-11-21",
    "https://www.sps.nhs.uk/monitorings/amiodarone-monitoring/",
)

_VALPROATE: Final = Citation(
    "Valproate monitoring, NHS Specialist Pharmacy Service; read on 2026-11-21", "https://sps.nhs.uk/?p=62811"
)
_DOAC: Final = Citation(
    "Direct oral anticoagulants monitoring, NHS Specialist Pharmacy Service; read on 2026-11-21",
    "https://www.sps.nhs.uk/monitorings/doacs-direct-oral-anticoagulants-monitoring",
)

_FIBRILLATION: Final = Citation(
    "2023 ACC/AHA/ACCP/HRS guideline on atrial fibrillation, table 25; read on 2026-11-21",
    "https://pmc.ncbi.nlm.nih.gov/articles/PMC11104284/table/T25",
)
_METHADONE: Final = Citation(
    "Krantz MJ et al., QTc interval screening in methadone treatment, Ann Intern Med 2009;150:387-395, recommendation "
    "3; read on 2026-11-21",
    "https://pubmed.ncbi.nlm.nih.gov/19153406/",
)

_LITHIUM_WORDS: Final = "every 6 months"
_LITHIUM_LEVEL_WORDS: Final = (
    "every 3 to 6 months once stable; weekly until levels are stable and every 3 months in the first year"
)
_ACE_WORDS: Final = (
    "once a year; 1 to 2 weeks after each increase in heart failure and after the last increase in hypertension"
)
_RAAS_WORDS: Final = "once a year; 1 to 2 weeks after start and after each increase"
_SPIRONOLACTONE_WORDS: Final = (
    "every 3 to 6 months once stable in heart failure; a week after start and each change, then monthly for 3 months"
)
_VALPROATE_WORDS: Final = "once a year; 6 months after start"
_DOAC_WORDS: Final = "once a year"
_DOAC_KIDNEY_WORDS: Final = (
    "once a year; every 4 months in the elderly; below 60 mL/min after as many months as a tenth of the clearance"
)
_CLASS_III_WORDS: Final = (
    "every 3 to 6 months; more often beside other medicines that prolong QT or with changing kidney function"
)
_METHADONE_WORDS: Final = (
    "once a year; before the first dose and within 30 days; also above 100 mg a day and after an unexplained syncope "
    "or seizure"
)
_CLOZAPINE_WORDS: Final = "monthly after the first year; weekly in the first 6 months and every 2 weeks until 12 months"

ROWS: Final[tuple[MonitoringRow, ...]] = (
    MonitoringRow(
        "lithium",
        frozenset({"6448"}),
        (
            Due(LITHIUM_LEVEL, _HALF_YEAR, _LITHIUM_LEVEL_WORDS),
            Due(KIDNEY, _HALF_YEAR, _LITHIUM_WORDS),
            Due(THYROID, _HALF_YEAR, _LITHIUM_WORDS),
            Due(CALCIUM, _HALF_YEAR, _LITHIUM_WORDS),
        ),
        _SPS_LITHIUM,
    ),
    MonitoringRow(
        "ACE inhibitor",
        members("ace-inhibitors"),
        (Due(POTASSIUM, _YEAR, _ACE_WORDS), Due(KIDNEY, _YEAR, _ACE_WORDS)),
        _ACE,
    ),
    MonitoringRow(
        "angiotensin receptor blocker",
        members("arbs"),
        (Due(POTASSIUM, _YEAR, _RAAS_WORDS), Due(KIDNEY, _YEAR, _RAAS_WORDS)),
        _NICE_RAAS,
    ),
    MonitoringRow(
        "spironolactone",
        frozenset({"9997"}),
        (Due(POTASSIUM, _HALF_YEAR, _SPIRONOLACTONE_WORDS), Due(KIDNEY, _HALF_YEAR, _SPIRONOLACTONE_WORDS)),
        _SPIRONOLACTONE,
    ),
    MonitoringRow(
        "warfarin",
        frozenset({"11289"}),
        (Due(INR, timedelta(days=28), "every 1 to 4 weeks once stable; daily until then"),),
        _WARFARIN,
    ),
    MonitoringRow(
        "direct oral anticoagulant",
        frozenset(
            {
                "1364430",  # apixaban
                "1037042",  # dabigatran etexilate
                "1599538",  # edoxaban
                "1114195",  # rivaroxaban
            }
        ),
        (
            Due(CREATININE, _YEAR, _DOAC_KIDNEY_WORDS),
            Due(HEMOGLOBIN, _YEAR, _DOAC_WORDS),
            Due(LIVER, _YEAR, _DOAC_WORDS),
        ),
        _DOAC,
    ),
    MonitoringRow(
        "valproate",
        frozenset(
            {
                "266856",  # divalproex sodium
                "40254",  # valproate
                "11118",  # valproic acid
            }
        ),
        (
            Due(LIVER, _YEAR, _VALPROATE_WORDS),
            Due(PLATELETS, _YEAR, _VALPROATE_WORDS),
            Due(WEIGHT, _YEAR, _VALPROATE_WORDS),
        ),
        _VALPROATE,
    ),
    MonitoringRow("clozapine", frozenset({"2626"}), (Due(NEUTROPHILS, _MONTH, _CLOZAPINE_WORDS),), _CLOZAPINE),
    MonitoringRow("metformin", frozenset({"6809"}), (Due(KIDNEY, _YEAR, "at least once a year"),), _METFORMIN),
    MonitoringRow(
        "metformin (blood count)",
        frozenset({"6809"}),
        (Due(HEMOGLOBIN, _YEAR, "hematological parameters once a year"),),
        _METFORMIN_BLOOD,
    ),
    MonitoringRow(
        "second-generation antipsychotic",
        frozenset(
            {
                "89013",  # aripiprazole
                "2626",  # clozapine
                "1040028",  # lurasidone
                "61381",  # olanzapine
                "679314",  # paliperidone
                "51272",  # quetiapine
                "35636",  # risperidone
                "115698",  # ziprasidone
            }
        ),
        (
            Due(WEIGHT, _QUARTER, "every quarter; at 4, 8 and 12 weeks after start"),
            Due(GLUCOSE, _YEAR, "once a year (fasting plasma glucose); 12 weeks after start"),
            Due(PRESSURE, _YEAR, "once a year; 12 weeks after start"),
            Due(LIPIDS, timedelta(days=5 * 366), "every 5 years; 12 weeks after start"),
        ),
        _ANTIPSYCHOTICS,
    ),
    MonitoringRow(
        "amiodarone",
        frozenset({"703"}),
        (Due(THYROID, _HALF_YEAR, _LITHIUM_WORDS), Due(LIVER, _HALF_YEAR, _LITHIUM_WORDS)),
        _AMIODARONE,
    ),
    MonitoringRow(
        "dofetilide",
        frozenset({"49247"}),
        (
            Due(QTC, _HALF_YEAR, _CLASS_III_WORDS),
            Due(POTASSIUM, _HALF_YEAR, _CLASS_III_WORDS),
            Due(MAGNESIUM, _HALF_YEAR, _CLASS_III_WORDS),
            Due(CREATININE, _HALF_YEAR, _CLASS_III_WORDS),
        ),
        _FIBRILLATION,
    ),
    MonitoringRow(
        "sotalol",
        frozenset({"9947"}),
        (
            Due(QTC, _HALF_YEAR, _CLASS_III_WORDS),
            Due(POTASSIUM, _HALF_YEAR, _CLASS_III_WORDS),
            Due(MAGNESIUM, _HALF_YEAR, _CLASS_III_WORDS),
        ),
        _FIBRILLATION,
    ),
    MonitoringRow("methadone", frozenset({"6813"}), (Due(QTC, _YEAR, _METHADONE_WORDS),), _METHADONE),
)
"""A medicine may have several rows, each with its own source."""
