"""Conditions: diabetes, cardiovascular disease, heart failure, pregnancy, dialysis, transplant, acute kidney injury.

*Cardiovascular disease* is what PREVENT calls known CVD (Khan SS et al., Circulation 2024;149:430-449: coronary heart
disease, stroke; heart failure is a flag of its own), taken as wide as clinical atherosclerotic cardiovascular disease
of the 2018 AHA/ACC cholesterol guideline (Circulation 2019;139:e1082): acute coronary syndrome, myocardial infarction,
angina, revascularisation, stroke, transient ischaemic attack, and peripheral arterial disease with aortic aneurysm.
*Diabetes* leaves out gestational diabetes and prediabetes. *Dialysis* takes in end-stage renal disease, as ICD-10-CM
does ("N18.6: chronic kidney disease requiring chronic dialysis"): it is what the kidney failure risk equation
predicts, so it must not be predicted for who has it. *A disease of POLG* is only Alpers disease: other codes name the
illness and not the gene. *Urea cycle disorders* are those of the guideline (Häberle J et al., Orphanet J Rare Dis
2012;7:32, https://pmc.ncbi.nlm.nih.gov/articles/PMC3488504) whose codes were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.terms.concepts.model import Code, ConceptSet
from fhirtwin.terms.systems import ICD10, ICD10CM, SNOMED

_VSAC = "VSAC (NLM), value set "
_VSAC_DIABETES = _VSAC + "Diabetes, 2.16.840.1.113883.3.464.1003.103.12.1001, eCQM update 2024-05-02"
_VSAC_INFARCTION = _VSAC + "Initial Myocardial Infarction, 2.16.840.1.113883.3.526.3.403, expanded 2025-06-20"
_VSAC_ISCHEMIC = (
    _VSAC + "Ischemic Heart Disease or Related Diagnoses, 2.16.840.1.113762.1.4.1047.46, and Stable and Unstable "
    "Angina, 2.16.840.1.113762.1.4.1047.47, eCQM update 2024-05-02"
)
_VSAC_STROKE = (
    _VSAC + "Cerebrovascular Disease Stroke or TIA, 2.16.840.1.113762.1.4.1047.44, eCQM update 2024-05-02 (strokes, "
    "transient ischemic attack and their sequelae)"
)
_VSAC_ARTERIES = (
    _VSAC + "Atherosclerosis and Peripheral Arterial Disease, 2.16.840.1.113762.1.4.1047.21, eCQM update 2024-05-02 "
    "(of the heart and the limbs)"
)
_VSAC_FAILURE = _VSAC + "Heart Failure, 2.16.840.1.113883.3.526.3.376, expanded 2025-06-20"
_VSAC_ILLNESS = (
    _VSAC + "Advanced Illness, 2.16.840.1.113883.3.464.1003.110.12.1082, eCQM update 2021-05-06 or expanded 2025-06-20"
)
_VSAC_PREGNANCY = _VSAC + "Pregnancy, 2.16.840.1.113883.3.526.3.378, expanded 2025-06-20"
_VSAC_RENAL = _VSAC + "End Stage Renal Disease, 2.16.840.1.113883.3.526.3.353, expanded 2025-06-20"
_ALPERS = (
    "US Social Security Administration, POMS DI 23022.675, https://secure.ssa.gov/poms.nsf/LNX/0423022675: Alpers "
    "disease, caused by the gene POLG"
)
_PHENODIS = (
    "PhenoDis, https://mips.helmholtz-muenchen.de/phenodis/disease/show/6234: SNOMED CT code of Alpers syndrome, most "
    "often of the gene POLG"
)
_MEDGEN = "NCBI MedGen UID 104491, https://www.ncbi.nlm.nih.gov/medgen/104491: SNOMED CT codes of citrullinemia"
_UMLS = (
    "Family Practice Notebook, https://fpnotebook.com/Endo/Metabolism/OrnthnTrnscrbmylsDfcncy.htm: codes of the UMLS "
    "for ornithine carbamoyltransferase deficiency, SNOMED CT and ICD-10"
)
_ICD_UREA = (
    "ICD-10-CM, E72.2 by https://hccbuddy.com/icd10/E72.21 and E72.4 (ornithine transcarbamylase deficiency among its "
    "inclusion terms) by https://icdlist.com/icd-10/E72.4"
)
_READ = "SNOMED CT; code and name read together in Synthea records, FHIR value sets or public code lists"
_ICD = "ICD-10-CM tabular list (CDC/NCHS); checked against VSAC value sets of 2024 and public lists of the categories"


def _snomed(fact: str, source: str, rows: Mapping[str, str]) -> ConceptSet:
    return ConceptSet(fact, SNOMED, source, rows)


def _icd(fact: str, rows: Mapping[str, str]) -> ConceptSet:
    return ConceptSet(fact, ICD10CM, _ICD, rows)


SETS: Final = (
    _snomed(
        "diabetes",
        _VSAC_DIABETES,
        {
            "44054006": "Diabetes mellitus type 2",
            "46635009": "Diabetes mellitus type 1",
            "313435000": "Type I diabetes mellitus without complication",
            "313436004": "Type II diabetes mellitus without complication",
            "237599002": "Insulin treated type 2 diabetes mellitus",
            "359642000": "Diabetes mellitus type 2 in nonobese",
            "81531005": "Diabetes mellitus type 2 in obese",
            "421893009": "Renal disorder due to type 1 diabetes mellitus",
            "420279001": "Renal disorder due to type 2 diabetes mellitus",
            "71441000119104": "Nephrotic syndrome due to type 2 diabetes mellitus",
            "420789003": "Retinopathy due to type 1 diabetes mellitus",
            "422034002": "Retinopathy due to type 2 diabetes mellitus",
            "1481000119100": "Diabetes mellitus type 2 without retinopathy",
            "1551000119108": "Nonproliferative retinopathy due to type 2 diabetes mellitus",
            "138911000119106": "Mild nonproliferative retinopathy due to type 2 diabetes mellitus",
            "138921000119104": "Moderate nonproliferative retinopathy due to type 2 diabetes mellitus",
            "138941000119105": "Severe nonproliferative retinopathy due to diabetes mellitus type 2",
            "1501000119109": "Proliferative retinopathy due to type 2 diabetes mellitus",
            "422099009": "Disorder of eye due to type 2 diabetes mellitus",
            "60951000119105": "Blindness due to type 2 diabetes mellitus",
            "421468001": "Disorder of nervous system due to type 1 diabetes mellitus",
            "421326000": "Disorder of nervous system due to type 2 diabetes mellitus",
            "368581000119106": "Neuropathy due to type 2 diabetes mellitus",
            "1511000119107": "Peripheral neuropathy due to type 2 diabetes mellitus",
            "713705003": "Polyneuropathy due to type 1 diabetes mellitus",
            "713706002": "Polyneuropathy due to type 2 diabetes mellitus",
            "314902007": "Peripheral angiopathy due to type 2 diabetes mellitus",
        },
    ),
    _snomed(
        "diabetes",
        _READ,
        {
            "73211009": "Diabetes mellitus",
            "8801005": "Secondary diabetes mellitus",
            "127013003": "Disorder of kidney due to diabetes mellitus",
            "4855003": "Retinopathy due to diabetes mellitus",
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
            "O24.8": "Other pre-existing diabetes mellitus in pregnancy, childbirth, and the puerperium",
        },
    ),
    _snomed(
        "cardiovascular-disease",
        _VSAC_INFARCTION,
        {
            "22298006": "Myocardial infarction",
            "57054005": "Acute myocardial infarction",
            "401303003": "Acute ST segment elevation myocardial infarction",
            "401314000": "Acute non-ST segment elevation myocardial infarction",
            "703164000": "Acute ST segment elevation myocardial infarction of anterior wall",
            "703213009": "Acute ST segment elevation myocardial infarction of inferior wall",
            "54329005": "Acute myocardial infarction of anterior wall",
            "62695002": "Acute anteroseptal myocardial infarction",
            "70211005": "Acute myocardial infarction of anterolateral wall",
            "58612006": "Acute myocardial infarction of lateral wall",
            "65547006": "Acute myocardial infarction of inferolateral wall",
            "73795002": "Acute myocardial infarction of inferior wall",
            "76593002": "Acute myocardial infarction of inferoposterior wall",
            "70422006": "Acute subendocardial infarction",
            "304914007": "Acute Q wave myocardial infarction",
            "194856005": "Subsequent myocardial infarction",
            "233843008": "Silent myocardial infarction",
            "428752002": "Recent myocardial infarction",
        },
    ),
    _snomed(
        "cardiovascular-disease",
        _VSAC_ISCHEMIC,
        {
            "414545008": "Ischemic heart disease",
            "413439005": "Acute ischemic heart disease",
            "413838009": "Chronic ischemic heart disease",
            "414795007": "Myocardial ischemia",
            "398274000": "Coronary artery thrombosis",
            "194828000": "Angina",
            "4557003": "Preinfarction syndrome",
            "233819005": "Stable angina",
            "233821000": "New onset angina",
            "314116003": "Post infarct angina",
        },
    ),
    _snomed(
        "cardiovascular-disease",
        _VSAC_STROKE,
        {
            "230690007": "Cerebrovascular accident",
            "422504002": "Ischemic stroke",
            "371040005": "Thrombotic stroke",
            "371041009": "Embolic stroke",
            "413758000": "Cardioembolic stroke",
            "432504007": "Cerebral infarction",
            "195189003": "Cerebral infarction due to thrombosis of cerebral arteries",
            "195190007": "Cerebral infarction due to embolism of cerebral arteries",
            "230698000": "Lacunar infarction",
            "230706003": "Hemorrhagic cerebral infarction",
            "95457000": "Brain stem infarction",
            "25133001": "Completed stroke",
            "195243003": "Sequelae of cerebral infarction",
            "441991000": "Hemiparesis as late effect of cerebrovascular accident",
            "442733008": "Hemiplegia as late effect of cerebrovascular accident",
            "266257000": "Transient ischemic attack",
        },
    ),
    _snomed(
        "cardiovascular-disease",
        _VSAC_ARTERIES,
        {
            "443502000": "Atherosclerosis of coronary artery",
            "399957001": "Peripheral arterial occlusive disease",
            "51274000": "Atherosclerosis of arteries of the extremities",
            "63491006": "Intermittent claudication",
        },
    ),
    _snomed(
        "cardiovascular-disease",
        _READ,
        {
            "1755008": "Old myocardial infarction",
            "399211009": "History of myocardial infarction",
            "399261000": "History of coronary artery bypass grafting",
            "394659003": "Acute coronary syndrome",
            "53741008": "Coronary arteriosclerosis",
            "274100004": "Cerebral hemorrhage",
            "21454007": "Subarachnoid intracranial hemorrhage",
            "275526006": "History of cerebrovascular accident",
            "400047006": "Peripheral vascular disease",
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
        _VSAC_FAILURE,
        {
            "84114007": "Heart failure",
            "42343007": "Congestive heart failure",
            "10633002": "Acute congestive heart failure",
            "88805009": "Chronic congestive heart failure",
            "698594003": "Symptomatic congestive heart failure",
            "92506005": "Biventricular congestive heart failure",
            "82523003": "Congestive rheumatic heart failure",
            "48447003": "Chronic heart failure",
            "56675007": "Acute heart failure",
            "195111005": "Decompensated cardiac failure",
            "424404003": "Decompensated chronic heart failure",
            "314206003": "Refractory heart failure",
            "85232009": "Left heart failure",
            "195114002": "Acute left ventricular failure",
            "364006": "Acute left-sided heart failure",
            "111283005": "Chronic left-sided heart failure",
            "74960003": "Acute left-sided congestive heart failure",
            "5375005": "Chronic left-sided congestive heart failure",
            "44313006": "Right heart failure secondary to left heart failure",
            "417996009": "Systolic heart failure",
            "443254009": "Acute systolic heart failure",
            "441481004": "Chronic systolic heart failure",
            "443253003": "Acute on chronic systolic heart failure",
            "418304008": "Diastolic heart failure",
            "443343001": "Acute diastolic heart failure",
            "441530006": "Chronic diastolic heart failure",
            "443344007": "Acute on chronic diastolic heart failure",
            "153931000119109": "Acute combined systolic and diastolic heart failure",
            "153941000119100": "Chronic combined systolic and diastolic heart failure",
            "153951000119103": "Acute on chronic combined systolic and diastolic heart failure",
            "703272007": "Heart failure with reduced ejection fraction",
            "703273002": "Heart failure with reduced ejection fraction due to coronary artery disease",
            "703275009": "Heart failure with reduced ejection fraction due to cardiomyopathy",
            "101281000119107": "Congestive heart failure due to cardiomyopathy",
            "426263006": "Congestive heart failure due to left ventricular systolic dysfunction",
            "426611007": "Congestive heart failure due to valvular disease",
            "46113002": "Hypertensive heart failure",
            "5148006": "Hypertensive heart disease with congestive heart failure",
            "67431000119105": "Congestive heart failure stage D",
            "67441000119101": "Congestive heart failure stage C",
        },
    ),
    _snomed(
        "heart-failure",
        _VSAC_ILLNESS,
        {
            "698296002": "Acute exacerbation of chronic congestive heart failure",
            "788950000": "Heart failure with mid range ejection fraction",
            "446221000": "Heart failure with normal ejection fraction",
            "10335000": "Chronic right-sided heart failure",
            "66989003": "Chronic right-sided congestive heart failure",
        },
    ),
    _snomed(
        "heart-failure",
        _READ,
        {
            "1296659009": "Acute exacerbation of chronic heart failure",
            "359617009": "Acute right-sided heart failure",
            "367363000": "Right ventricular failure",
        },
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
        _VSAC_PREGNANCY,
        {
            "77386006": "Pregnancy",
            "72892002": "Normal pregnancy",
            "457811000124103": "Normal pregnancy in primigravida",
            "457821000124106": "Normal pregnancy in multigravida",
            "47200007": "High risk pregnancy",
            "57630001": "First trimester pregnancy",
            "59466002": "Second trimester pregnancy",
            "41587001": "Third trimester pregnancy",
            "16356006": "Multiple pregnancy",
            "65147003": "Twin pregnancy",
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
        _VSAC_RENAL,
        {
            "46177005": "End-stage renal disease",
            "236434000": "End stage renal failure untreated by renal replacement therapy",
            "236435004": "End stage renal failure on dialysis",
        },
    ),
    _snomed(
        "dialysis",
        _VSAC_ILLNESS,
        {
            "111411000119103": "End stage renal disease due to hypertension",
            "434431000124103": "Hypertensive end stage renal disease",
            "704667004": "Hypertension concurrent and due to end stage renal disease on dialysis",
        },
    ),
    _snomed("dialysis", _READ, {"105502003": "Dependence on renal dialysis"}),
    _icd(
        "dialysis",
        {
            "Z99.2": "Dependence on renal dialysis",
            "Z49": "Encounter for care involving renal dialysis",
            "N18.6": "End stage renal disease",
        },
    ),
    _snomed("kidney-transplant", _VSAC_RENAL, {"236436003": "End stage renal failure with renal transplant"}),
    _snomed(
        "kidney-transplant",
        _READ,
        {
            "161665007": "History of renal transplant",
            "213150003": "Kidney transplant failure and rejection",
        },
    ),
    _icd(
        "kidney-transplant",
        {"Z94.0": "Kidney transplant status", "T86.1": "Complications of kidney transplant"},
    ),
    _snomed("acute-kidney-injury", _READ, {"14669001": "Acute kidney injury"}),
    _snomed(
        "acute-kidney-injury",
        _VSAC_ILLNESS,
        {
            "236433006": "Acute-on-chronic renal failure",
            "722095005": "Acute kidney injury due to circulatory failure",
        },
    ),
    _icd("acute-kidney-injury", {"N17": "Acute kidney failure", "O90.4": "Postpartum acute kidney failure"}),
    ConceptSet("polg-disease", ICD10CM, _ALPERS, {"G31.81": "Alpers disease"}),
    _snomed("polg-disease", _PHENODIS, {"20415001": "Alpers syndrome"}),
    _snomed("urea-cycle-disorder", _READ, {"36444000": "Disorder of the urea cycle metabolism"}),
    _snomed(
        "urea-cycle-disorder",
        _UMLS,
        {
            "80908008": "Ornithine carbamoyltransferase deficiency",
            "124249000": "Ornithine carbamoyltransferase deficiency",
        },
    ),
    _snomed(
        "urea-cycle-disorder",
        _MEDGEN,
        {"398680004": "Citrullinemia", "124711003": "Deficiency of argininosuccinate synthase"},
    ),
    ConceptSet(
        "urea-cycle-disorder",
        ICD10CM,
        _ICD_UREA,
        {"E72.2": "Disorders of urea cycle metabolism", "E72.4": "Disorders of ornithine metabolism"},
    ),
    ConceptSet(
        "urea-cycle-disorder",
        ICD10,
        "ICD-10 (WHO), E72.2 by https://www.diseasedb.com/icd10/E72.2",
        {"E72.2": "Disorders of urea cycle metabolism"},
    ),
    ConceptSet("urea-cycle-disorder", ICD10, _UMLS, {"E72.4": "Disorders of ornithine metabolism"}),
)

NOT_COUNTED: Final[Mapping[Code, str]] = {
    Code(SNOMED, "11687002"): "gestational diabetes is not counted as diabetes",
    Code(SNOMED, "15777000"): "prediabetes is not counted as diabetes",
}
"""Codes that are known and give no fact, with the reason."""
