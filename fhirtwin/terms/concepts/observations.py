"""Observations: LOINC codes of results, panels, and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from fhirtwin.terms.concepts.model import Code, ConceptSet
from fhirtwin.terms.systems import LOINC, SNOMED

_LOINC = "LOINC (Regenstrief Institute); code and name read together in FHIR value sets and implementation guides"
_VSAC = "VSAC (NLM), eCQM update 2024-05-02, value set "
_VSAC_UACR = _VSAC + "Urine Albumin Creatinine Ratio, 2.16.840.1.113883.3.6929.3.1007 (mass ratios, and without a kind)"
_VSAC_EGFR = _VSAC + "Estimated Glomerular Filtration Rate, 2.16.840.1.113883.3.6929.3.1000"
_VSAC_HBA1C = _VSAC + "HbA1c Laboratory Test, 2.16.840.1.113883.3.464.1003.198.12.1013"
_VITALS = "FHIR R4 vital signs profiles, https://hl7.org/fhir/R4/observation-vitalsigns.html"


def _loinc(fact: str, rows: Mapping[str, str], source: str = _LOINC) -> ConceptSet:
    return ConceptSet(fact, LOINC, source, rows)


SETS: Final = (
    _loinc(
        "total-cholesterol",
        {
            "2093-3": "Cholesterol [Mass/volume] in Serum or Plasma",
            "14647-2": "Cholesterol [Moles/volume] in Serum or Plasma",
        },
    ),
    _loinc(
        "hdl-cholesterol",
        {
            "2085-9": "Cholesterol in HDL [Mass/volume] in Serum or Plasma",
            "14646-4": "Cholesterol in HDL [Moles/volume] in Serum or Plasma",
        },
    ),
    _loinc("systolic-bp", {"8480-6": "Systolic blood pressure"}, _VITALS),
    _loinc("diastolic-bp", {"8462-4": "Diastolic blood pressure"}, _VITALS),
    _loinc("bmi", {"39156-5": "Body mass index (BMI) [Ratio]"}, _VITALS),
    _loinc("body-weight", {"29463-7": "Body weight", "3141-9": "Body weight Measured"}, _VITALS),
    _loinc("body-height", {"8302-2": "Body height"}, _VITALS),
    _loinc(
        "creatinine",
        {
            "2160-0": "Creatinine [Mass/volume] in Serum or Plasma",
            "38483-4": "Creatinine [Mass/volume] in Blood",
            "14682-9": "Creatinine [Moles/volume] in Serum or Plasma",
            "59826-8": "Creatinine [Moles/volume] in Blood",
            "77140-2": "Creatinine [Moles/volume] in Serum, Plasma or Blood",
        },
    ),
    _loinc(
        "egfr",
        {
            "98979-8": "Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum, Plasma or Blood by "
            "Creatinine-based formula (CKD-EPI 2021)"
        },
        _VSAC_EGFR,
    ),
    _loinc(
        "uacr",
        {
            "9318-7": "Albumin/Creatinine [Mass Ratio] in Urine",
            "13705-9": "Albumin/Creatinine [Mass Ratio] in 24 hour Urine",
            "14959-1": "Microalbumin/Creatinine [Mass Ratio] in Urine",
            "14958-3": "Microalbumin/Creatinine [Mass Ratio] in 24 hour Urine",
            "32294-1": "Albumin/Creatinine [Ratio] in Urine",
            "30000-4": "Microalbumin/Creatinine [Ratio] in Urine",
        },
        _VSAC_UACR,
    ),
    _loinc(
        "hba1c",
        {
            "4548-4": "Hemoglobin A1c/Hemoglobin.total in Blood",
            "4549-2": "Hemoglobin A1c/Hemoglobin.total in Blood by Electrophoresis",
            "17855-8": "Hemoglobin A1c/Hemoglobin.total in Blood by calculation",
            "17856-6": "Hemoglobin A1c/Hemoglobin.total in Blood by HPLC",
        },
        _VSAC_HBA1C,
    ),
    _loinc("hba1c", {"59261-8": "Hemoglobin A1c/Hemoglobin.total in Blood by IFCC protocol"}),
    _loinc(
        "ldl-cholesterol",
        {
            "2089-1": "Cholesterol in LDL [Mass/volume] in Serum or Plasma",
            "13457-7": "Cholesterol in LDL [Mass/volume] in Serum or Plasma by calculation",
            "18262-6": "Cholesterol in LDL [Mass/volume] in Serum or Plasma by Direct assay",
        },
    ),
    _loinc("triglycerides", {"2571-8": "Triglyceride [Mass/volume] in Serum or Plasma"}),
    _loinc(
        "potassium",
        {
            "2823-3": "Potassium [Moles/volume] in Serum or Plasma",
            "6298-4": "Potassium [Moles/volume] in Blood",
        },
    ),
    _loinc(
        "sodium",
        {"2951-2": "Sodium [Moles/volume] in Serum or Plasma", "2947-0": "Sodium [Moles/volume] in Blood"},
    ),
    _loinc(
        "chloride",
        {"2075-0": "Chloride [Moles/volume] in Serum or Plasma", "2069-3": "Chloride [Moles/volume] in Blood"},
    ),
    _loinc("bicarbonate", {"1963-8": "Bicarbonate [Moles/volume] in Serum or Plasma"}),
    _loinc(
        "magnesium",
        {
            "19123-9": "Magnesium [Mass/volume] in Serum or Plasma",
            "2601-3": "Magnesium [Moles/volume] in Serum or Plasma",
        },
    ),
    _loinc("calcium", {"17861-6": "Calcium [Mass/volume] in Serum or Plasma"}),
    _loinc(
        "glucose",
        {
            "2345-7": "Glucose [Mass/volume] in Serum or Plasma",
            "2339-0": "Glucose [Mass/volume] in Blood",
            "14749-6": "Glucose [Moles/volume] in Serum or Plasma",
            "15074-8": "Glucose [Moles/volume] in Blood",
        },
    ),
    _loinc(
        "urea-nitrogen",
        {
            "3094-0": "Urea nitrogen [Mass/volume] in Serum or Plasma",
            "6299-2": "Urea nitrogen [Mass/volume] in Blood",
        },
    ),
    _loinc("albumin", {"1751-7": "Albumin [Mass/volume] in Serum or Plasma"}),
    _loinc(
        "bilirubin-total",
        {
            "1975-2": "Bilirubin.total [Mass/volume] in Serum or Plasma",
            "14631-6": "Bilirubin.total [Moles/volume] in Serum or Plasma",
        },
    ),
    _loinc("alt", {"1742-6": "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma"}),
    _loinc("ast", {"1920-8": "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma"}),
    _loinc("alkaline-phosphatase", {"6768-6": "Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma"}),
    _loinc("creatine-kinase", {"2157-6": "Creatine kinase [Enzymatic activity/volume] in Serum or Plasma"}),
    _loinc("tsh", {"3016-3": "Thyrotropin [Units/volume] in Serum or Plasma"}),
    _loinc(
        "inr",
        {
            "6301-6": "INR in Platelet poor plasma by Coagulation assay",
            "34714-6": "INR in Blood by Coagulation assay",
        },
    ),
    _loinc("hemoglobin", {"718-7": "Hemoglobin [Mass/volume] in Blood"}),
    _loinc("leukocytes", {"6690-2": "Leukocytes [#/volume] in Blood by Automated count"}),
    _loinc("neutrophils", {"751-8": "Neutrophils [#/volume] in Blood by Automated count"}),
    _loinc("platelets", {"777-3": "Platelets [#/volume] in Blood by Automated count"}),
    _loinc("lithium-level", {"14334-7": "Lithium [Moles/volume] in Serum or Plasma"}),
    _loinc("digoxin-level", {"10535-3": "Digoxin [Mass/volume] in Serum or Plasma"}),
    _loinc("valproate-level", {"4086-5": "Valproate [Mass/volume] in Serum or Plasma"}),
    _loinc("carbamazepine-level", {"3432-2": "carBAMazepine [Mass/volume] in Serum or Plasma"}),
    _loinc(
        "qtc-interval",
        {
            "8636-3": "Q-T interval corrected",
            "76634-5": "Q-T interval corrected based on Fridericia formula",
            "76635-2": "Q-T interval corrected based on Bazett formula",
        },
    ),
    _loinc("heart-rate", {"8867-4": "Heart rate"}, _VITALS),
    _loinc("smoking-status", {"72166-2": "Tobacco smoking status"}, "US Core 6.1.0, us-core-smokingstatus"),
    _loinc("pregnancy", {"82810-3": "Pregnancy status"}, "US Core 6.1.0, us-core-observation-pregnancystatus"),
)


def codes_of(facts: Iterable[str]) -> tuple[str, ...]:
    """Give the LOINC codes of results that tell these facts, and of the panels, sorted: what a query has to ask for."""
    wanted = set(facts)
    return tuple(sorted({c for s in SETS if s.fact in wanted for c in s.rows} | {panel.code for panel in PANELS}))


PANELS: Final = frozenset(
    Code(LOINC, code)
    for code in (
        "85354-9",  # Blood pressure panel with all children optional (FHIR R4 vital signs)
        "55284-4",  # Blood pressure systolic and diastolic (Synthea, older records)
        "57698-3",  # Lipid panel with direct LDL - Serum or Plasma
        "51990-0",  # Basic metabolic panel - Blood
        "24323-8",  # Comprehensive metabolic 2000 panel - Serum or Plasma
    )
)
"""Observations without a value of their own, read through their components."""

SMOKING: Final[Mapping[Code, str]] = {
    Code(SNOMED, "449868002"): "current",  # Smokes tobacco daily
    Code(SNOMED, "428041000124106"): "current",  # Occasional tobacco smoker
    Code(SNOMED, "428071000124103"): "current",  # Heavy tobacco smoker
    Code(SNOMED, "428061000124105"): "current",  # Light tobacco smoker
    Code(SNOMED, "77176002"): "current",  # Smoker
    Code(SNOMED, "8517006"): "former",  # Ex-smoker
    Code(SNOMED, "266919005"): "never",  # Never smoked tobacco
    Code(LOINC, "LA18976-3"): "current",  # Current every day smoker
    Code(LOINC, "LA18977-1"): "current",  # Current some day smoker
    Code(LOINC, "LA18981-3"): "current",  # Heavy tobacco smoker
    Code(LOINC, "LA18982-1"): "current",  # Light tobacco smoker
    Code(LOINC, "LA15920-4"): "former",  # Former smoker
    Code(LOINC, "LA18978-9"): "never",  # Never smoker
}
"""Answers to 72166-2: SNOMED CT as in US Core's smoking status value sets, and LOINC answer list LL2201-3, both checked
against the map between them of the International Patient Summary (HL7 IPS 1.1.0). What says "unknown" is no answer and
is left out on purpose: 266927001 (tobacco smoking consumption unknown), LA18980-5 (unknown if ever smoked) and
LA18979-7 (smoker, current status unknown)."""

PREGNANCY: Final[Mapping[Code, bool]] = {
    Code(SNOMED, "77386006"): True,  # Pregnant
    Code(SNOMED, "60001007"): False,  # Not pregnant
}
"""Answers to 82810-3, as in US Core's pregnancy status value set."""

OTHER_FORMULA = "this eGFR is not by the CKD-EPI 2021 creatinine equation; only that, or a creatinine, is used"

NOT_COUNTED: Final[Mapping[Code, str]] = {
    Code(LOINC, code): OTHER_FORMULA
    for code in (
        "33914-3",  # MDRD
        "77147-7",  # MDRD
        "48642-3",  # MDRD, among non-blacks
        "48643-1",  # MDRD, among blacks
        "50044-7",  # MDRD, among females
        "70969-1",  # MDRD, among males
        "62238-1",  # CKD-EPI, of a year the code does not tell
        "88293-6",  # CKD-EPI, among blacks
        "88294-4",  # CKD-EPI, among non-blacks
        "69405-9",  # no formula told
        "50210-4",  # cystatin C
        "94677-2",  # CKD-EPI of creatinine and cystatin C, of a year the code does not tell
        "98980-6",  # CKD-EPI 2021 of creatinine and cystatin C
    )
}
"""Codes that are known and not used, with the reason. An eGFR of another equation differs by more than rounding: taking
it for CKD-EPI 2021 would be a guess, and a creatinine of the same draw is nearly always there to compute from."""
