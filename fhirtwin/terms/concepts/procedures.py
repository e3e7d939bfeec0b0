"""Procedures: dialysis, kidney transplantation and coronary revascularisation, by SNOMED CT.

Coronary revascularisation is clinical atherosclerotic cardiovascular disease, so it makes cardiovascular disease known
(2018 AHA/ACC cholesterol guideline, Circulation 2019;139:e1082, definition of clinical ASCVD).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.terms.concepts.model import ConceptSet
from fhirtwin.terms.systems import SNOMED

_VSAC = "VSAC (NLM), value set "


def _snomed(fact: str, source: str, rows: Mapping[str, str]) -> ConceptSet:
    return ConceptSet(fact, SNOMED, source, rows)


SETS: Final = (
    _snomed(
        "dialysis",
        _VSAC
        + "Dialysis Services, 2.16.840.1.113883.3.464.1003.109.12.1013, expanded 2025-06-20 (without catheter and "
        "access care)",
        {
            "108241001": "Dialysis procedure",
            "265764009": "Renal dialysis",
            "302497006": "Hemodialysis",
            "11932001": "Stabilizing hemodialysis",
            "34897002": "Hemodialysis, maintenance in hospital",
            "67970008": "Hemodialysis, maintenance at home",
            "68341005": "Hemodialysis, supervision at home",
            "57274006": "Initial hemodialysis",
            "233575001": "Intermittent hemodialysis",
            "233576000": "Intermittent hemodialysis with sequential ultrafiltration",
            "233577009": "Intermittent hemodialysis with continuous ultrafiltration",
            "233578004": "Continuous hemodialysis",
            "233579007": "Continuous arteriovenous hemodialysis",
            "233580005": "Continuous venovenous hemodialysis",
            "233581009": "Hemofiltration",
            "233582002": "Intermittent hemofiltration",
            "233583007": "Continuous hemofiltration",
            "233584001": "Continuous arteriovenous hemofiltration",
            "233585000": "Continuous venovenous hemofiltration",
            "233586004": "Hemodiafiltration",
            "233587008": "Intermittent hemodiafiltration",
            "233588003": "Continuous hemodiafiltration",
            "233589006": "Continuous arteriovenous hemodiafiltration",
            "233590002": "Continuous venovenous hemodiafiltration",
            "71192002": "Peritoneal dialysis",
            "676002": "Peritoneal dialysis including cannulation",
            "14684005": "Peritoneal dialysis excluding cannulation",
            "225230008": "Chronic peritoneal dialysis",
            "225231007": "Stab peritoneal dialysis",
            "238318009": "Continuous ambulatory peritoneal dialysis",
            "238319001": "Continuous cycling peritoneal dialysis",
            "238321006": "Intermittent peritoneal dialysis",
            "238322004": "Tidal peritoneal dialysis",
            "238323009": "Night-time intermittent peritoneal dialysis",
            "428648006": "Automated peritoneal dialysis",
            "714749008": "Continuous renal replacement therapy",
        },
    ),
    _snomed(
        "kidney-transplant",
        _VSAC + "Kidney Transplant, 2.16.840.1.113883.3.464.1003.109.12.1012, expanded 2025-06-20",
        {
            "70536003": "Transplant of kidney",
            "52213001": "Renal homotransplantation excluding donor and recipient nephrectomy",
            "175899003": "Autotransplantation of kidney",
            "175901007": "Live donor renal transplant",
            "175902000": "Cadaveric renal transplant",
            "236138007": "Xenograft renal transplant",
            "313030004": "Donor renal transplantation",
            "711411006": "Allotransplantation of kidney from beating heart cadaver",
            "711413009": "Allotransplantation of kidney from non-beating heart cadaver",
            "765478004": "Allotransplantation of left kidney",
            "765479007": "Allotransplantation of right kidney",
            "782655004": "Laparoscopic transplant of kidney using robotic assistance",
            "6471000179103": "Transplantation of kidney and pancreas",
        },
    ),
    _snomed(
        "cardiovascular-disease",
        _VSAC
        + "Cardiac Surgery, 2.16.840.1.113883.3.526.3.371, expanded 2025-06-20; 418551006 of eCQM update 2021-05-06 "
        "(coronary bypass)",
        {
            "232717009": "Coronary artery bypass grafting",
            "67166004": "Aortocoronary artery bypass graft",
            "90487008": "Aortocoronary bypass of two coronary arteries",
            "14323007": "Aortocoronary bypass of three coronary arteries",
            "10190003": "Aortocoronary bypass of four or more coronary arteries",
            "3546002": "Aortocoronary artery bypass graft with saphenous vein graft",
            "119564002": "Internal mammary-coronary artery bypass graft",
            "359597003": "Single internal mammary-coronary artery bypass",
            "275215001": "Left internal mammary artery single anastomosis",
            "119565001": "Coronary artery bypass graft, anastomosis of artery of thorax to coronary artery",
            "232719007": "Coronary artery bypass graft x 1",
            "232720001": "Coronary artery bypass grafts x 2",
            "232721002": "Coronary artery bypass grafts x 3",
            "232722009": "Coronary artery bypass grafts x 4",
            "232723004": "Coronary artery bypass grafts x 5",
            "232724005": "Coronary artery bypass grafts greater than 5",
            "10326007": "Coronary artery bypass with autogenous graft, three grafts",
            "39202005": "Coronary artery bypass with autogenous graft, four grafts",
            "74371005": "Coronary artery bypass with autogenous graft, two grafts",
            "82247006": "Coronary artery bypass with autogenous graft, five grafts",
            "414088005": "Emergency coronary artery bypass graft",
            "418824004": "Off-pump coronary artery bypass",
            "418551006": "Laparoscopic coronary artery bypass using robotic assistance",
            "419132001": "Minimally invasive direct coronary artery bypass",
            "81266008": "Heart revascularization",
            "275227003": "Myocardial revascularization",
        },
    ),
    _snomed(
        "cardiovascular-disease",
        _VSAC + "PCI, 2.16.840.1.113762.1.4.1045.67, eCQM update 2024-05-02",
        {
            "415070008": "Percutaneous coronary intervention",
            "414089002": "Emergency percutaneous coronary intervention",
            "11101003": "Percutaneous transluminal coronary angioplasty",
            "85053006": "Percutaneous transluminal coronary angioplasty, multiple vessels",
            "397193006": "Percutaneous transluminal coronary angioplasty by rotoablation",
            "429639007": "Percutaneous transluminal balloon angioplasty with insertion of stent into coronary artery",
            "175066001": "Percutaneous transluminal balloon angioplasty of bypass graft of coronary artery",
            "36969009": "Placement of stent in coronary artery",
            "428488008": "Placement of stent in anterior descending branch of left coronary artery",
            "429499003": "Placement of stent in circumflex branch of left coronary artery",
        },
    ),
)
