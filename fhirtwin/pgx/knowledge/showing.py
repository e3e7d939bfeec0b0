"""Texts of the folder as people read them: who says it, for what, under which licence; shortened, and never too many.

What is given is plain text of the hospital's files: whoever writes it into Markdown or HTML escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fhirtwin.pgx.knowledge.holding import Held

MOST: Final = 6
"""Texts about one drug that are shown; how many more there are is said."""
LONGEST: Final = 600
"""Letters of one text that are shown."""
HEADER: Final = (
    "From this hospital's own folder of guideline texts, as they are there; this project did not check them."
)


def paragraphs(held: Sequence[Held]) -> Iterator[str]:
    """Give each text with its source, under one header; nothing where there is none."""
    if held:
        yield HEADER
    yield from map(paragraph, held[:MOST])
    if len(held) > MOST:
        yield f"{len(held) - MOST} more texts of the folder hold for this drug and these genes and are not shown."


def paragraph(one: Held) -> str:
    """Write one text: source, what it holds for, version and licence; then the text."""
    entry = one.entry
    whom = ", ".join(f"{gene} {value}" for gene, value in one.values) or " and ".join(entry.genes)
    strength = f"strength: {entry.strength}" if entry.strength else ""
    about = "; ".join(part for part in (whom, entry.population, strength) if part)
    return f"{label(one)}. For {about}: {shortened(entry.text)}"


def label(one: Held) -> str:
    """Name source, version and licence."""
    entry = one.entry
    return f"{entry.source} ({', '.join(part for part in (entry.version, entry.licence) if part)})"


def shortened(text: str) -> str:
    """Cut a text that is too long, between words, and say so."""
    flat = " ".join(text.split())
    if len(flat) <= LONGEST:
        return flat
    return f"{flat[:LONGEST].rsplit(' ', 1)[0]} … (shortened; the whole text is in the folder)"
