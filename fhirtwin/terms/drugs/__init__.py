"""Medicines as a clinician knows them: ingredients, the groups they belong to, and how a code leads to them.

There is no RxNorm release here, so a clinical drug (a strength, a form, a brand) leads to its ingredients only where
one of these says so; anything else is not known, and that is said wherever it matters:

1. the code is that of an ingredient, or of a fixed combination, in the tables beside this file;
2. the code is an ATC code of the fifth level that stands for one systemic medicine;
3. the code is in `fhirtwin.terms.concepts.medicines`, whose display was read at its source;
4. the coding is RxNorm's and its display is a normalised RxNorm name, every part of which is known (`naming`).

Text without a code is read of drafts alone, where it is exactly the name of one ingredient (`by_name`).
"""

from __future__ import annotations

from fhirtwin.terms.drugs.groups import GROUPS, Group, groups_of, members
from fhirtwin.terms.drugs.ingredients import INGREDIENTS, name_of
from fhirtwin.terms.drugs.reading import FROM_DISPLAY, FROM_TEXT, Read, by_name, read

__all__ = [
    "FROM_DISPLAY",
    "FROM_TEXT",
    "GROUPS",
    "INGREDIENTS",
    "Group",
    "Read",
    "by_name",
    "groups_of",
    "members",
    "name_of",
    "read",
]
