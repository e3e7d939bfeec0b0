"""Groups of medicines that rules speak of, each with who says what belongs to it.

A group holds single ingredients, never "and all others": a medicine that its source does not name is in no group.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from fhirtwin.terms.drugs.ingredients import CODES


@dataclass(frozen=True, slots=True)
class Group:
    """Ingredients that a label or guideline treats alike.

    Attributes:
        id: stable, in kebab case.
        title: for people, plural.
        members: RxNorm ingredient codes.
        source: where membership was read.
    """

    id: str
    title: str
    members: frozenset[str]
    source: str


_VSAC = "VSAC (NLM), eCQM update 2025-05-08, value set "
_ATC = "ATC codes in CPIC's table of drugs (cpic-data 1.56.0)"
_FDA_CYP = "FDA, Table of Substrates, Inhibitors and Inducers (drug interactions), as PMC7292748 repeats it"
_USCORE = "names in US Core 3.1.1, us-core-allergy-substance"


def _group(id_: str, title: str, names: str, source: str) -> Group:
    return Group(id_, title, frozenset(CODES[name] for name in names.split(", ")), source)


_ALL: Final = (
    _group(
        "penicillins",
        "penicillins",
        "amoxicillin, ampicillin, dicloxacillin, nafcillin, penicillin g, penicillin v",
        f"International nonproprietary names ending in -cillin or containing penicillin; {_USCORE}",
    ),
    _group(
        "cephalosporins",
        "cephalosporins",
        "cefaclor, cefadroxil, cefazolin, cefdinir, cefepime, cefixime, cefoxitin, cefpodoxime, cefprozil, "
        "ceftazidime, ceftriaxone, cefuroxime, cephalexin",
        f"International nonproprietary names beginning with cef- or ceph-; {_USCORE}",
    ),
    _group(
        "sulfonamide-antibiotics",
        "sulfonamide antibiotics",
        "sulfamethoxazole, sulfadiazine, sulfisoxazole",
        "ATC J01E in CPIC's table of drugs (cpic-data 1.56.0)",
    ),
    _group(
        "nsaids",
        "NSAIDs",
        "celecoxib, diclofenac, diflunisal, etodolac, flurbiprofen, ibuprofen, indomethacin, ketoprofen, ketorolac, "
        "meloxicam, nabumetone, naproxen, oxaprozin, piroxicam, sulindac, tolmetin",
        "Medicines that two published lists of systemic NSAIDs (Medicare Part D studies) have in common",
    ),
    _group(
        "ace-inhibitors",
        "ACE inhibitors",
        "benazepril, captopril, enalapril, fosinopril, lisinopril, moexipril, perindopril, quinapril, ramipril, "
        "trandolapril",
        _VSAC + "ACE Inhibitor or ARB or ARNI Ingredient, 2.16.840.1.113883.3.526.3.1489",
    ),
    _group(
        "arbs",
        "angiotensin receptor blockers",
        "azilsartan, candesartan, eprosartan, irbesartan, losartan, olmesartan, telmisartan, valsartan",
        _VSAC + "ACE Inhibitor or ARB or ARNI Ingredient, 2.16.840.1.113883.3.526.3.1489",
    ),
    _group(
        "statins",
        "statins",
        "atorvastatin, simvastatin, rosuvastatin, pravastatin, lovastatin, fluvastatin, pitavastatin",
        _VSAC + "Statin Allergen, 2.16.840.1.113762.1.4.1110.42",
    ),
    _group(
        "ssris", "SSRIs", "citalopram, escitalopram, fluoxetine, fluvoxamine, paroxetine, sertraline", f"N06AB: {_ATC}"
    ),
    _group(
        "snris",
        "SNRIs",
        "venlafaxine, desvenlafaxine, duloxetine, milnacipran",
        "Names of serotonin and norepinephrine reuptake inhibitors in published label reviews of 2026",
    ),
    _group(
        "tricyclics",
        "tricyclic antidepressants",
        "amitriptyline, clomipramine, desipramine, doxepin, imipramine, nortriptyline, protriptyline, trimipramine",
        f"N06AA: {_ATC}",
    ),
    _group(
        "maois",
        "monoamine oxidase inhibitors",
        "phenelzine, tranylcypromine",
        "Tramadol label, section 7 (setid 855905c7-1481-4b2d-a318-3254ad8ed73c, 2026-06-08): phenelzine, "
        "tranylcypromine",
    ),
    _group(
        "opioids",
        "opioids",
        "codeine, fentanyl, hydrocodone, hydromorphone, meperidine, methadone, morphine, oxycodone, tapentadol, "
        "tramadol",
        f"Opioid receptor agonists; {_USCORE}",
    ),
    _group(
        "benzodiazepines",
        "benzodiazepines",
        "alprazolam, chlordiazepoxide, clobazam, clonazepam, diazepam, lorazepam, midazolam, oxazepam, temazepam, "
        "triazolam",
        f"Benzodiazepines by their nonproprietary names; {_USCORE} and {_ATC}",
    ),
    _group(
        "gabapentinoids",
        "gabapentinoids",
        "gabapentin, pregabalin",
        "Gabapentin label 5.8 (setid c7f21eaa-68ee-420c-9c98-e997cc73a297) and pregabalin label 5.5 "
        "(setid f6aa5977-97c8-4a56-8e35-d9ab5cc24369)",
    ),
    _group(
        "cyp2d6-strong-inhibitors",
        "strong inhibitors of CYP2D6",
        "bupropion, fluoxetine, paroxetine, quinidine",
        _FDA_CYP,
    ),
    _group(
        "cyp2d6-moderate-inhibitors",
        "moderate inhibitors of CYP2D6",
        "duloxetine, darifenacin, thioridazine",
        _FDA_CYP,
    ),
)

GROUPS: Final = {group.id: group for group in _ALL}


def members(*ids: str) -> frozenset[str]:
    """Give the ingredients of these groups."""
    return frozenset().union(*(GROUPS[id_].members for id_ in ids))


@cache
def groups_of(ingredient: str) -> tuple[str, ...]:
    """Give the ids of the groups an ingredient belongs to, in a fixed order."""
    return tuple(group.id for group in _ALL if ingredient in group.members)
