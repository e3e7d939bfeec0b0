"""The names of facts, with canonical units: the vocabulary that mappers write and predictors read."""

from __future__ import annotations

from typing import Final

UNITS: Final[dict[str, str]] = {
    "total-cholesterol": "mg/dL",
    "hdl-cholesterol": "mg/dL",
    "systolic-bp": "mm[Hg]",
    "diastolic-bp": "mm[Hg]",
    "bmi": "kg/m2",
    "body-weight": "kg",
    "body-height": "cm",
    "creatinine": "mg/dL",
    "egfr": "mL/min/{1.73_m2}",
    "uacr": "mg/g",
    "hba1c": "%",
    "ldl-cholesterol": "mg/dL",
    "triglycerides": "mg/dL",
    "potassium": "mmol/L",
    "sodium": "mmol/L",
    "chloride": "mmol/L",
    "bicarbonate": "mmol/L",
    "magnesium": "mg/dL",
    "calcium": "mg/dL",
    "glucose": "mg/dL",
    "urea-nitrogen": "mg/dL",
    "albumin": "g/dL",
    "bilirubin-total": "mg/dL",
    "alt": "U/L",
    "ast": "U/L",
    "alkaline-phosphatase": "U/L",
    "creatine-kinase": "U/L",
    "tsh": "m[IU]/L",
    "inr": "{INR}",
    "hemoglobin": "g/dL",
    "leukocytes": "10*3/uL",
    "neutrophils": "10*3/uL",
    "platelets": "10*3/uL",
    "lithium-level": "mmol/L",
    "digoxin-level": "ng/mL",
    "valproate-level": "ug/mL",
    "carbamazepine-level": "ug/mL",
    "qtc-interval": "ms",
    "heart-rate": "/min",
    "age": "a",
}
"""Facts with a quantity, and the UCUM unit their values are kept in."""

CODES: Final[dict[str, tuple[str, ...]]] = {
    "sex": ("female", "male"),
    "smoking-status": ("current", "former", "never"),
    "birth-date": (),
}
"""Facts whose value is a word; an empty tuple means a date."""

FLAGS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "diabetes": (("Condition",),),
    "cardiovascular-disease": (("Condition",), ("Procedure",)),
    "heart-failure": (("Condition",),),
    "pregnancy": (("Condition",),),
    "dialysis": (("Condition",), ("Procedure",)),
    "kidney-transplant": (("Condition",), ("Procedure",)),
    "acute-kidney-injury": (("Condition",),),
    "polg-disease": (("Condition",),),
    "urea-cycle-disorder": (("Condition",),),
    "statin": (("MedicationRequest", "MedicationStatement"),),
    "antihypertensive": (("MedicationRequest", "MedicationStatement"),),
    "deceased": (("Patient",),),
    "current-smoker": (),
    "ckd-g3-g5-shown": (),
    "kidney-function-unstable": (),
}
"""Facts that are there or not. For each, the lists that must have been obtained before "no record" counts as "no":
every group needs one of its types. The empty ones are derived as of a day (`fhirtwin.twin.derived`) and are facts with
value True or False, or absent when it cannot be told."""

LISTS: Final[dict[str, tuple[str, ...]]] = {
    "medicine": ("MedicationRequest", "MedicationStatement"),
    "allergy": ("AllergyIntolerance",),
    "intolerance": ("AllergyIntolerance",),
}
"""Facts of which a patient has many at once, each with another value, and the lists they are read from. The value is an
RxNorm ingredient code (`fhirtwin.terms.drugs`), or, for an allergy to a whole group, the group's id."""

GENES: Final[dict[str, str]] = {
    "diplotype": "The alleles of a gene, one of each chromosome; several that fit equally well are parted by a bar.",
    "haplotype": "One allele of a gene that is there.",
    "allele-status": "Whether one allele of an HLA gene is there: the allele, then positive or negative.",
    "gene-phenotype": "The phenotype or activity score of a gene, in the laboratory's own words.",
    "variant": "The bases at one place of a gene on GRCh38, one for each copy.",
    "gene-not-called": "Why a gene that was looked at was not called.",
}
"""Facts about one gene, and what their value says; it is text. `code` and `display` are the gene's HGNC id and symbol
(`fhirtwin.pgx.hgnc`). Germline results of the patient alone. A patient has many of each; what they come to together is
told by `fhirtwin.twin.genome`."""
