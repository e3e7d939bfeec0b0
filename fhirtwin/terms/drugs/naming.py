"""Reads normalised names of RxNorm: `metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]`.

Why a display may be read here, and nowhere else: RxNorm builds the name of a clinical drug by rule, ingredient and
strength in front, and R4 says that `Coding.display` "follows the rules of the system". So a name that has exactly that
form, and whose every ingredient is one of our table, can be misread only when the sender put another drug's name beside
the code. What is read so is marked, is never proof that something is absent, and yields to a code that is known.

Source: RxNorm overview, "normalized form" of clinical drug names, https://www.nlm.nih.gov/research/umls/rxnorm/overview.html;
http://hl7.org/fhir/R4/datatypes.html#Coding.
"""

from __future__ import annotations

import re
from typing import Final

from fhirtwin.terms.drugs.ingredients import CODES

LONGEST: Final = 400
"""Characters of a name that are looked at; RxNorm's longest names of packs are not read anyway."""

_BRAND: Final = re.compile(r" \[[^\[\]]{1,100}\]$")
_LEAD: Final = re.compile(r"^(?:Abuse-Deterrent )?(?:\d{1,4}(?:\.\d{1,4})? (?:HR|ML|ACTUAT) )?")
_PART: Final = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z ,'\-]{0,100}) "
    r"\d{1,9}(?:\.\d{1,9})? (?:MG|MCG|UNT|MEQ|MMOL|%|G)(?:/(?:ML|MG|ACTUAT|HR|G))?"
    r"(?: (?P<form>[A-Za-z][A-Za-z ,\-]{0,60}))?"
)

_SALTS: Final = (
    *(
        "hydrochloride",
        "hydrobromide",
        "sodium",
        "potassium",
        "calcium",
        "magnesium",
        "succinate",
        "tartrate",
        "maleate",
    ),
    *(
        "fumarate",
        "besylate",
        "mesylate",
        "phosphate",
        "sulfate",
        "acetate",
        "citrate",
        "nitrate",
        "bromide",
        "chloride",
    ),
    *(
        "carbonate",
        "bitartrate",
        "disodium",
        "trihydrate",
        "monohydrate",
        "oxalate",
        "pamoate",
        "decanoate",
        "enanthate",
    ),
    *("cilexetil", "medoxomil", "etexilate", "axetil", "proxetil", "clavulanate potassium", "anhydrous", "bisulfate"),
)
"""Words that RxNorm puts behind an ingredient to name a salt or an ester of it."""

SYSTEMIC: Final = frozenset(
    {
        *(
            "oral tablet",
            "oral capsule",
            "oral solution",
            "oral suspension",
            "oral powder",
            "oral strip",
            "oral lozenge",
        ),
        *("extended release oral tablet", "extended release oral capsule", "delayed release oral tablet"),
        *("delayed release oral capsule", "disintegrating oral tablet", "chewable tablet", "effervescent oral tablet"),
        *("sublingual tablet", "sublingual film", "buccal film", "buccal tablet", "extended release suspension"),
        *(
            "injection",
            "injectable solution",
            "injectable suspension",
            "prefilled syringe",
            "cartridge",
            "auto-injector",
        ),
        *(
            "transdermal system",
            "extended release transdermal system",
            "rectal suppository",
            "powder for oral solution",
        ),
        *("powder for oral suspension", "12 hr extended release oral tablet", "24 hr extended release oral tablet"),
    }
)
"""Dose forms that act on the whole body. Drops, creams, sprays and inhalers are not read: what holds for tablets does
not hold for them."""


def ingredients(name: str) -> tuple[str, ...]:
    """Give the codes of the ingredients a normalised RxNorm name is made of; nothing when it is not wholly understood.

    Args:
        name: display of a coding in RxNorm: of a clinical drug, a branded one, or a component.
    """
    if len(name) > LONGEST or "{" in name:
        return ()
    *first, last = _LEAD.sub("", _BRAND.sub("", " ".join(name.split()))).split(" / ")
    found: set[str] = set()
    for number, part in enumerate((*first, last)):
        matched = _PART.fullmatch(part)
        if matched is None or (matched["form"] and number < len(first)):
            return ()
        code = _code(matched["name"].lower())
        if code is None or (matched["form"] and matched["form"].lower() not in SYSTEMIC):
            return ()
        found.add(code)
    return tuple(sorted(found))


def _code(name: str) -> str | None:
    """The ingredient of that exact name, or of that name without the words of a salt."""
    while name not in CODES:
        shorter = next((name.removesuffix(f" {salt}") for salt in _SALTS if name.endswith(f" {salt}")), name)
        if shorter == name:
            return None
        name = shorter
    return CODES[name]
