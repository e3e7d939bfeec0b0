"""Which other medicines an allergy speaks against: what a label contraindicates, and what shares a side chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fhirtwin.rules.findings import Citation
from fhirtwin.rules.tables.model import label, of


@dataclass(frozen=True, slots=True)
class CrossReaction:
    """An allergy to one thing, and what may then not be given unthought.

    Attributes:
        id: stable, in kebab case.
        allergens: ingredients, and ids of groups, that the allergy may be recorded as.
        medicines: what is ordered.
        why: for people, one sentence.
        sources: the texts that were read.
        contraindicated: whether the source forbids it after a serious reaction.
        same_class: whether both are one class, which records name by any of its members ("penicillin V" for all
            penicillins): then it is forbidden unless the record calls the allergy mild.
    """

    id: str
    allergens: frozenset[str]
    medicines: frozenset[str]
    why: str
    sources: tuple[Citation, ...]
    contraindicated: bool
    same_class: bool = False


def _row(
    id_: str,
    allergens: str,
    groups: str,
    medicines: str,
    why: str,
    *sources: Citation,
    contraindicated: bool,
    same_class: bool = False,
) -> CrossReaction:
    recorded = (of(allergens) if allergens else frozenset()) | frozenset(groups.split(", ") if groups else ())
    return CrossReaction(id_, recorded, of(medicines), why, sources, contraindicated, same_class)


_AMOXICILLIN = Citation(
    "FDA label: amoxicillin, 4 and 5", "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query=amoxicillin"
)
_CAMPAGNA = Citation(
    "Campagna JD et al., J Emerg Med 2012;42:612-620, as reviewed in WikEM",
    "https://www.wikem.org/w/index.php?title=EBQ:Cephalosporin_Cross-reactivity",
)
_LETTER = Citation("The Medical Letter 2012;54:101 (issue 1406)", "https://secure.medicalletter.org/TML-issue-1406")
_COTRIMOXAZOLE = label(
    "sulfamethoxazole and trimethoprim, Contraindications", "f59d0c04-9c66-4d53-a0e1-cb55570deb62", "2024-12-30"
)
_HCTZ = Citation(
    "FDA label: lisinopril and hydrochlorothiazide, Contraindications",
    "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query=lisinopril+and+hydrochlorothiazide",
)
_CELECOXIB = Citation(
    "Celecoxib, Contraindications", "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query=celecoxib"
)
_IBUPROFEN = Citation(
    "FDA label: ibuprofen, Contraindications", "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query=ibuprofen"
)
_ZESTRIL = label("lisinopril (Zestril), 4", "838c2d78-d2d8-4981-9ec9-e50ef9e1a5d8", "2025-01-02")
_ENTRESTO = Citation(
    "FDA label: sacubitril and valsartan (Entresto), 4",
    "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query=entresto",
)

ROWS: Final = (
    _row(
        "penicillin-penicillin",
        "penicillins",
        "",
        "penicillins",
        "Both are penicillins: the label of amoxicillin contraindicates it after a serious reaction to another "
        "penicillin.",
        _AMOXICILLIN,
        contraindicated=True,
        same_class=True,
    ),
    _row(
        "cephalosporin-amoxicillin",
        "cephalosporins",
        "cephalosporins",
        "amoxicillin",
        "The label of amoxicillin contraindicates it after a serious reaction to a cephalosporin.",
        _AMOXICILLIN,
        contraindicated=True,
    ),
    _row(
        "aminopenicillin-side-chain",
        "amoxicillin, ampicillin",
        "penicillins",
        "cefadroxil, cefprozil, cefaclor, cephalexin",
        "These cephalosporins share, or nearly share, the R1 side chain of amoxicillin or ampicillin, which is what "
        "cross "
        "reactions follow. Others without that side chain are not spoken of here.",
        _CAMPAGNA,
        _LETTER,
        contraindicated=False,
    ),
    _row(
        "penicillin-g-side-chain",
        "penicillin g, penicillin v",
        "penicillins",
        "cefoxitin",
        "Cefoxitin shares the side chain of penicillin.",
        _LETTER,
        contraindicated=False,
    ),
    _row(
        "sulfonamide-antibiotic",
        "sulfonamide-antibiotics",
        "",
        "sulfonamide-antibiotics",
        "Both are sulfonamide antibiotics: the label of sulfamethoxazole and trimethoprim contraindicates it after a "
        "reaction to a sulfonamide.",
        _COTRIMOXAZOLE,
        contraindicated=True,
        same_class=True,
    ),
    _row(
        "sulfonamide-hydrochlorothiazide",
        "sulfonamide-antibiotics",
        "sulfonamide-antibiotics",
        "hydrochlorothiazide",
        "The label of hydrochlorothiazide (with lisinopril) contraindicates it in hypersensitivity to "
        "sulfonamide-derived medicines.",
        _HCTZ,
        contraindicated=False,
    ),
    _row(
        "sulfonamide-celecoxib",
        "sulfonamide-antibiotics",
        "sulfonamide-antibiotics",
        "celecoxib",
        "Celecoxib is contraindicated after allergic-type reactions to sulfonamides.",
        _CELECOXIB,
        contraindicated=False,
    ),
    _row(
        "nsaid-nsaid",
        "nsaids, aspirin",
        "nsaids",
        "nsaids, aspirin",
        "The label of ibuprofen contraindicates it after asthma, urticaria or allergic reactions to aspirin or other "
        "NSAIDs.",
        _IBUPROFEN,
        contraindicated=True,
    ),
    _row(
        "ace-inhibitor-class",
        "ace-inhibitors",
        "",
        "ace-inhibitors",
        "The label of lisinopril contraindicates it after angioedema or hypersensitivity to another ACE inhibitor.",
        _ZESTRIL,
        contraindicated=True,
    ),
    _row(
        "angioedema-sacubitril",
        "ace-inhibitors, arbs",
        "ace-inhibitors, arbs",
        "sacubitril",
        "The label contraindicates sacubitril after angioedema from an ACE inhibitor or angiotensin receptor blocker.",
        _ENTRESTO,
        contraindicated=True,
    ),
)
