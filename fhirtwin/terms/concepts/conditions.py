"""Conditions: diabetes, cardiovascular disease, heart failure, pregnancy, dialysis, transplant, acute kidney injury.

*Cardiovascular disease* is what PREVENT calls known CVD (Khan SS et al., Circulation 2024;149:430-449: coronary heart
disease, stroke; heart failure is a flag of its own), taken as wide as clinical atherosclerotic cardiovascular disease
of the 2018 AHA/ACC cholesterol guideline (Circulation 2019;139:e1082): acute coronary syndrome, myocardial infarction,
angina, revascularisation, stroke, transient ischaemic attack, and peripheral arterial disease with aortic aneurysm.
*Diabetes* leaves out gestational diabetes and prediabetes. *Dialysis* takes in end-stage renal disease, as ICD-10-CM
does ("N18.6: chronic kidney disease requiring chronic dialysis"): it is what the kidney failure risk equation
predicts, so it must not be predicted for who has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.terms.concepts.model import Code, ConceptSet
from fhirtwin.terms.systems import ICD10CM, SNOMED

_SNOMED = (
    "SNOMED CT International Edition; single concepts, read with their names in public FHIR value sets and code lists"
)
_ICD = "ICD-10-CM tabular list (CDC/NCHS)"
_VSAC_HF = "VSAC (NLM), eCQM update 2025-05-08, value set Advanced Illness, 2.16.840.1.113883.3.464.1003.110.12.1082"


def _snomed(fact: str, rows: Mapping[str, str], source: str = _SNOMED) -> ConceptSet:
    return ConceptSet(fact, SNOMED, source, rows)


def _icd(fact: str, rows: Mapping[str, str]) -> ConceptSet:
    return ConceptSet(fact, ICD10CM, _ICD, rows)


SETS: Final = (
    _snomed(
        "diabetes",
        {
            "73211009": "Diabetes mellitus",
            "44054006": "Diabetes mellitus type 2",
            "46635009": "Diabetes mellitus type 1",
            "8801005": "Secondary diabetes mellitus",
            "127013003": "Disorder of kidney due to diabetes mellitus",
            "4855003": "Retinopathy due to diabetes mellitus",
            "1481000119100": "Diabetes mellitus type 2 without retinopathy",
            "422034002": "Retinopathy due to type 2 diabetes mellitus",
            "368581000119106": "Neuropathy due to type 2 diabetes mellitus",
            "1551000119108": "Nonproliferative retinopathy due to type 2 diabetes mellitus",
            "1501000119109": "Proliferative retinopathy due to type 2 diabetes mellitus",
            "97331000119101": "Macular edema and retinopathy due to type 2 diabetes mellitus",
            "90781000119102": "Microalbuminuria due to type 2 diabetes mellitus",
            "157141000119108": "Proteinuria due to type 2 diabetes mellitus",
        },
    ),
    _icd(
        "diabetes",
        {
            "E08": "Diabetes mellitus due to underlying condition",
            "E09": "Drug or chemical induced diabetes mellitus",
            "E10": "Type 1 diabetes mellitus",
            "E11": "Type 2 diabetes mellitus",
            "E13": "Other specified diabetes mellitus",
            "O24.0": "Pre-existing type 1 diabetes mellitus, in pregnancy, childbirth and the puerperium",
            "O24.1": "Pre-existing type 2 diabetes mellitus, in pregnancy, childbirth and the puerperium",
            "O24.3": "Unspecified pre-existing diabetes mellitus in pregnancy, childbirth and the puerperium",
        },
    ),
    _snomed(
        "cardiovascular-disease",
        {
            "22298006": "Myocardial infarction",
            "57054005": "Acute myocardial infarction",
            "401303003": "Acute ST segment elevation myocardial infarction",
            "401314000": "Acute non-ST segment elevation myocardial infarction",
            "1755008": "Old myocardial infarction",
            "399211009": "History of myocardial infarction",
            "399261000": "History of coronary artery bypass grafting",
            "394659003": "Acute coronary syndrome",
            "414545008": "Ischemic heart disease",
            "53741008": "Coronary arteriosclerosis",
            "194828000": "Angina",
            "4557003": "Preinfarction syndrome",
            "233819005": "Stable angina",
            "230690007": "Cerebrovascular accident",
            "422504002": "Ischemic stroke",
            "371041009": "Embolic stroke",
            "432504007": "Cerebral infarction",
            "274100004": "Cerebral hemorrhage",
            "21454007": "Subarachnoid intracranial hemorrhage",
            "275526006": "History of cerebrovascular accident",
            "266257000": "Transient ischemic attack",
            "400047006": "Peripheral vascular disease",
            "399957001": "Peripheral arterial occlusive disease",
            "63491006": "Intermittent claudication",
        },
    ),
    _icd(
        "cardiovascular-disease",
        {
            "I20": "Angina pectoris",
            "I21": "Acute myocardial infarction",
            "I22": "Subsequent ST elevation (STEMI) and non-ST elevation (NSTEMI) myocardial infarction",
            "I23": "Certain current complications following myocardial infarction (within the 28 day period)",
            "I24": "Other acute ischemic heart diseases",
            "I25": "Chronic ischemic heart disease",
            "I60": "Nontraumatic subarachnoid hemorrhage",
            "I61": "Nontraumatic intracerebral hemorrhage",
            "I62": "Other and unspecified nontraumatic intracranial hemorrhage",
            "I63": "Cerebral infarction",
            "I69": "Sequelae of cerebrovascular disease",
            "G45.0": "Vertebro-basilar artery syndrome",
            "G45.1": "Carotid artery syndrome (hemispheric)",
            "G45.2": "Multiple and bilateral precerebral artery syndromes",
            "G45.3": "Amaurosis fugax",
            "G45.8": "Other transient cerebral ischemic attacks and related syndromes",
            "G45.9": "Transient cerebral ischemic attack, unspecified",
            "I70.2": "Atherosclerosis of native arteries of the extremities",
            "I71": "Aortic aneurysm and dissection",
            "I73.9": "Peripheral vascular disease, unspecified",
            "Z86.73": "Personal history of transient ischemic attack (TIA), and cerebral infarction without residual "
            "deficits",
            "Z95.1": "Presence of aortocoronary bypass graft",
            "Z95.5": "Presence of coronary angioplasty implant and graft",
            "Z98.61": "Coronary angioplasty status",
        },
    ),
    _snomed(
        "heart-failure",
        {
            "84114007": "Heart failure",
            "88805009": "Chronic congestive heart failure",
            "698296002": "Acute exacerbation of chronic congestive heart failure",
            "703272007": "Heart failure with reduced ejection fraction",
            "788950000": "Heart failure with mid range ejection fraction",
        },
    ),
    _snomed(
        "heart-failure",
        {
            "42343007": "Congestive heart failure",
            "48447003": "Chronic heart failure",
            "56675007": "Acute heart failure",
            "1296659009": "Acute exacerbation of chronic heart failure",
            "314206003": "Refractory heart failure",
            "364006": "Acute left-sided heart failure",
            "359617009": "Acute right-sided heart failure",
            "367363000": "Right ventricular failure",
            "417996009": "Systolic heart failure",
            "418304008": "Diastolic heart failure",
            "424404003": "Decompensated chronic heart failure",
            "426263006": "Congestive heart failure due to left ventricular systolic dysfunction",
            "426611007": "Congestive heart failure due to valvular disease",
            "441481004": "Chronic systolic heart failure",
            "441530006": "Chronic diastolic heart failure",
            "443253003": "Acute on chronic systolic heart failure",
            "443254009": "Acute systolic heart failure",
            "443343001": "Acute diastolic heart failure",
            "443344007": "Acute on chronic diastolic heart failure",
            "446221000": "Heart failure with normal ejection fraction",
            "46113002": "Hypertensive heart failure",
            "5148006": "Hypertensive heart disease with congestive heart failure",
            "5375005": "Chronic left-sided congestive heart failure",
            "66989003": "Chronic right-sided congestive heart failure",
            "44313006": "Right heart failure secondary to left heart failure",
            "67431000119105": "Congestive heart failure stage D",
            "67441000119101": "Congestive heart failure stage C",
        },
        _VSAC_HF,
    ),
    _icd(
        "heart-failure",
        {
            "I50": "Heart failure",
            "I09.81": "Rheumatic heart failure",
            "I11.0": "Hypertensive heart disease with heart failure",
            "I13.0": "Hypertensive heart and chronic kidney disease with heart failure and stage 1 through stage 4 "
            "chronic kidney disease, or unspecified chronic kidney disease",
            "I13.2": "Hypertensive heart and chronic kidney disease with heart failure and with stage 5 chronic kidney "
            "disease, or end stage renal disease",
        },
    ),
    _snomed(
        "pregnancy",
        {
            "77386006": "Pregnancy",
            "72892002": "Normal pregnancy",
            "47200007": "High risk pregnancy",
        },
    ),
    _icd(
        "pregnancy",
        {
            "Z33.1": "Pregnant state, incidental",
            "Z34": "Encounter for supervision of normal pregnancy",
            "Z3A": "Weeks of gestation",
            "O09": "Supervision of high risk pregnancy",
            "O12": "Gestational [pregnancy-induced] edema and proteinuria without hypertension",
            "O13": "Gestational [pregnancy-induced] hypertension without significant proteinuria",
            "O14": "Pre-eclampsia",
            "O20": "Hemorrhage in early pregnancy",
            "O21": "Excessive vomiting in pregnancy",
            "O23": "Infections of genitourinary tract in pregnancy",
            "O24": "Diabetes mellitus in pregnancy, childbirth, and the puerperium",
            "O26": "Maternal care for other conditions predominantly related to pregnancy",
            "O30": "Multiple gestation",
            "O36": "Maternal care for other fetal problems",
        },
    ),
    _snomed(
        "dialysis",
        {
            "105502003": "Dependence on renal dialysis",
            "236435004": "End stage renal failure on dialysis",
            "46177005": "End-stage renal disease",
        },
    ),
    _icd(
        "dialysis",
        {
            "Z99.2": "Dependence on renal dialysis",
            "Z49": "Encounter for care involving renal dialysis",
            "N18.6": "End stage renal disease",
        },
    ),
    _snomed(
        "kidney-transplant",
        {
            "161665007": "History of renal transplant",
            "213150003": "Kidney transplant failure and rejection",
        },
    ),
    _icd(
        "kidney-transplant",
        {"Z94.0": "Kidney transplant status", "T86.1": "Complications of kidney transplant"},
    ),
    _snomed("acute-kidney-injury", {"14669001": "Acute kidney injury"}),
    _icd("acute-kidney-injury", {"N17": "Acute kidney failure", "O90.4": "Postpartum acute kidney failure"}),
)

NOT_COUNTED: Final[Mapping[Code, str]] = {
    Code(SNOMED, "11687002"): "gestational diabetes is not counted as diabetes",
    Code(SNOMED, "15777000"): "prediabetes is not counted as diabetes",
}
"""Codes that are known and give no fact, with the reason."""
