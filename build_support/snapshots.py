"""Fill the snapshots of our StructureDefinitions from their differentials.

    python build_support/snapshots.py --r4 FOLDER profiles/StructureDefinition-*.json

FOLDER holds `profiles-resources.json.gz` and `profiles-types.json.gz` of the R4 definitions. It does what our profiles
need: an element of the differential overrides the base's of the same id, and one with a new id (a slice) follows the
element it slices. Types are not unfolded, so a differential must not constrain inside a type.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

Element = dict[str, Any]
EXTENSION = "http://hl7.org/fhir/StructureDefinition/Extension"


def bases(folder: Path) -> dict[str, Element]:
    """Every StructureDefinition of R4 by its canonical URL."""
    found = {}
    for name in ("profiles-resources.json.gz", "profiles-types.json.gz"):
        for entry in json.loads(gzip.decompress((folder / name).read_bytes()))["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] == "StructureDefinition":
                found[resource["url"]] = resource
    return found


def plain(element: Element) -> Element:
    """The base's element without the mappings to other standards, which say nothing of ours."""
    return {name: value for name, value in element.items() if name not in ("mapping", "extension")}


def snapshot(profile: Element, base: Element, extension: Element) -> list[Element]:
    """Lay the differential of a profile over the snapshot of its base."""
    elements = [plain(e) for e in base["snapshot"]["element"]]
    for change in profile["differential"]["element"]:
        place = index(elements, change["id"])
        if place is None:
            place = add(elements, change, extension)
        elements[place] = {**elements[place], **change}
        if change.get("max") == "0":
            elements[:] = [e for e in elements if not e["id"].startswith(f"{change['id']}.")]
    return elements


def index(elements: list[Element], element_id: str) -> int | None:
    """Where the element of an id stands; None when there is none yet."""
    return next((i for i, e in enumerate(elements) if e["id"] == element_id), None)


def add(elements: list[Element], change: Element, extension: Element) -> int:
    """Make room for a slice with its children, or for a child of an extension's slice; give its place."""
    new_id = change["id"]
    parent, _, name = new_id.rpartition(".")
    sliced = f"{parent}.{name.partition(':')[0]}" if ":" in name else parent
    place = 1 + max(
        i for i, e in enumerate(elements) if e["id"] == sliced or e["id"].startswith((f"{sliced}.", f"{sliced}:"))
    )
    if ":" not in name:
        origin = next(plain(e) for e in extension["snapshot"]["element"] if e["id"] == f"Extension.{name}")
        elements.insert(place, {**origin, "id": new_id, "path": change["path"]})
        return place
    copies = [e for e in elements if e["id"] == sliced or e["id"].startswith(f"{sliced}.")]
    renamed = [{**e, "id": new_id + e["id"].removeprefix(sliced)} for e in copies]
    renamed[0].pop("slicing", None)
    elements[place:place] = renamed
    return place


def main() -> None:
    """Rewrite each named file with its snapshot filled."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--r4", type=Path, required=True)
    arguments.add_argument("profiles", type=Path, nargs="+")
    chosen = arguments.parse_args()
    known = bases(chosen.r4)
    for path in chosen.profiles:
        profile = json.loads(path.read_text())
        profile["snapshot"] = {"element": snapshot(profile, known[profile["baseDefinition"]], known[EXTENSION])}
        differential = profile.pop("differential")
        path.write_text(json.dumps({**profile, "differential": differential}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
