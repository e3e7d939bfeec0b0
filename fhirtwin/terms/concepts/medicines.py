"""Medicines: statins and antihypertensives, by RxNorm and ATC.

*Antihypertensive* is a medicine of a class that lowers blood pressure and is licensed for hypertension, whatever it
was ordered for: the predictor of PREVENT is use, not the reason (Khan SS et al., Circulation 2024;149:430-449).
Eye drops share ingredients with some beta blockers; timolol, betaxolol, carteolol, levobunolol and metipranolol are
therefore left out, as are sotalol and esmolol, which treat rhythm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhirtwin.terms.concepts.model import ConceptSet
from fhirtwin.terms.systems import ATC, RXNORM

_VSAC = "VSAC (NLM), eCQM update 2025-05-08, value set "
_ATC = "ATC/DDD Index (WHO Collaborating Centre for Drug Statistics Methodology)"


def _rxnorm(fact: str, source: str, rows: Mapping[str, str]) -> ConceptSet:
    return ConceptSet(fact, RXNORM, source, rows)


SETS: Final = (
    _rxnorm(
        "statin",
        _VSAC + "Statin Allergen, 2.16.840.1.113762.1.4.1110.42 (ingredients)",
        {
            "83367": "atorvastatin",
            "36567": "simvastatin",
            "301542": "rosuvastatin",
            "42463": "pravastatin",
            "6472": "lovastatin",
            "41127": "fluvastatin",
            "861634": "pitavastatin",
        },
    ),
    _rxnorm(
        "antihypertensive",
        _VSAC + "ACE Inhibitor or ARB or ARNI Ingredient, 2.16.840.1.113883.3.526.3.1489",
        {
            "18867": "benazepril",
            "1998": "captopril",
            "3827": "enalapril",
            "50166": "fosinopril",
            "29046": "lisinopril",
            "30131": "moexipril",
            "54552": "perindopril",
            "35208": "quinapril",
            "35296": "ramipril",
            "38454": "trandolapril",
            "1091643": "azilsartan",
            "214354": "candesartan",
            "83515": "eprosartan",
            "83818": "irbesartan",
            "52175": "losartan",
            "321064": "olmesartan",
            "73494": "telmisartan",
            "69749": "valsartan",
        },
    ),
    _rxnorm(
        "antihypertensive",
        _VSAC + "Beta Blocker Therapy Ingredient, 2.16.840.1.113883.3.526.3.1493 (those licensed for hypertension)",
        {
            "149": "acebutolol",
            "1202": "atenolol",
            "19484": "bisoprolol",
            "20352": "carvedilol",
            "6185": "labetalol",
            "6918": "metoprolol",
            "7226": "nadolol",
            "31555": "nebivolol",
            "8332": "pindolol",
            "8787": "propranolol",
        },
    ),
    _rxnorm(
        "antihypertensive",
        "RxNorm (NLM), ingredients of calcium channel blockers, diuretics and alpha blockers",
        {
            "17767": "amlodipine",
            "3443": "diltiazem",
            "4316": "felodipine",
            "7417": "nifedipine",
            "11170": "verapamil",
            "5487": "hydrochlorothiazide",
            "2409": "chlorthalidone",
            "4603": "furosemide",
            "9997": "spironolactone",
            "49276": "doxazosin",
        },
    ),
    _rxnorm(
        "statin",
        "RxNorm (NLM), clinical drugs and components as written by Synthea and its statin module",
        {
            "316672": "simvastatin 10 MG",
            "617312": "atorvastatin 10 MG Oral Tablet",
            "617314": "atorvastatin 10 MG Oral Tablet [Lipitor]",
            "617310": "atorvastatin 20 MG Oral Tablet",
            "617311": "atorvastatin 40 MG Oral Tablet",
            "617320": "atorvastatin 40 MG Oral Tablet [Lipitor]",
            "259255": "atorvastatin 80 MG Oral Tablet",
            "476349": "ezetimibe 10 MG / simvastatin 20 MG Oral Tablet",
            "476350": "ezetimibe 10 MG / simvastatin 40 MG Oral Tablet",
            "476351": "ezetimibe 10 MG / simvastatin 80 MG Oral Tablet",
            "1245441": "ezetimibe 10 MG / simvastatin 40 MG Oral Tablet [Vytorin]",
            "197903": "lovastatin 10 MG Oral Tablet",
            "197904": "lovastatin 20 MG Oral Tablet",
            "197905": "lovastatin 40 MG Oral Tablet",
            "861646": "pitavastatin calcium 1 MG Oral Tablet [Livalo]",
            "861650": "pitavastatin calcium 2 MG Oral Tablet [Livalo]",
            "861654": "pitavastatin calcium 4 MG Oral Tablet [Livalo]",
            "904458": "pravastatin sodium 10 MG Oral Tablet",
            "904467": "pravastatin sodium 20 MG Oral Tablet",
            "904475": "pravastatin sodium 40 MG Oral Tablet",
            "904477": "pravastatin sodium 40 MG Oral Tablet [Pravachol]",
            "904481": "pravastatin sodium 80 MG Oral Tablet",
            "859747": "rosuvastatin calcium 10 MG Oral Tablet",
            "859749": "rosuvastatin calcium 10 MG Oral Tablet [Crestor]",
            "859751": "rosuvastatin calcium 20 MG Oral Tablet",
        },
    ),
    _rxnorm(
        "antihypertensive",
        "RxNorm (NLM), clinical drugs and components as written in Synthea and US Core records",
        {
            "316049": "hydrochlorothiazide 25 MG",
            "314076": "lisinopril 10 MG Oral Tablet",
            "206765": "lisinopril 10 MG Oral Tablet [Prinivil]",
            "315971": "furosemide 40 MG",
            "866414": "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]",
        },
    ),
    ConceptSet(
        "statin",
        ATC,
        _ATC,
        {
            "C10AA": "HMG CoA reductase inhibitors",
            "C10BA02": "simvastatin and ezetimibe",
            "C10BA05": "atorvastatin and ezetimibe",
            "C10BA06": "rosuvastatin and ezetimibe",
        },
    ),
    ConceptSet(
        "antihypertensive",
        ATC,
        _ATC,
        {
            "C02A": "Antiadrenergic agents, centrally acting",
            "C02C": "Antiadrenergic agents, peripherally acting",
            "C02D": "Agents acting on arteriolar smooth muscle",
            "C03": "Diuretics",
            "C07": "Beta blocking agents",
            "C08": "Calcium channel blockers",
            "C09": "Agents acting on the renin-angiotensin system",
        },
    ),
)
