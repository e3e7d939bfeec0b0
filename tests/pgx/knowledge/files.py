"""Files of each format, as small as they can be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def annotation(**changes: Any) -> dict[str, Any]:
    guideline = {
        "id": "PA1",
        "name": "Annotation of DPWG Guideline for aripiprazole and CYP2D6",
        "source": "DPWG",
        "version": 42,
        "url": "https://www.clinpgx.org/guidelineAnnotation/PA1",
        "relatedChemicals": [{"id": "PA2", "name": "Aripiprazole", "symbol": None}],
        "relatedGenes": [{"id": "PA3", "name": "cytochrome", "symbol": "CYP2D6"}],
    }
    row = {
        "population": None,
        "classification": {"term": "N/A"},
        "relatedChemicals": [{"name": "aripiprazole"}],
        "text": {"id": 1, "html": "<p>Give no more than <strong>10&nbsp;mg</strong>/day.</p>\n"},
        "implications": ["The risk is increased."],
        "lookupKey": {"CYP2D6": "0.0"},
    }
    guideline |= changes.pop("guideline", {})
    row |= changes
    return {"guideline": guideline, "recommendations": [row], "citations": [], "version": "2024-03-25"}


def view_row(**changes: Any) -> dict[str, Any]:
    return {
        "recommendationid": 1,
        "lookupkey": {"CYP2D6": "0.0"},
        "drugname": "metoprolol",
        "guidelinename": "CYP2D6 and Beta-Blockers",
        "guidelineurl": "https://cpicpgx.org/guidelines/x/",
        "implications": {"CYP2D6": "Decreased metabolism"},
        "drugrecommendation": "Initiate with lowest dose <20mg/day & titrate",
        "classification": "Strong",
        "population": "general",
        "comments": "n/a",
    } | changes


def put(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path
