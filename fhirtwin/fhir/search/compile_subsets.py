"""Compiles two small tables of FHIR R4: what a summary holds, and what lies in a patient's compartment.

Run as `python -m fhirtwin.fhir.search.compile_subsets FOLDER`, where FOLDER holds `profiles-resources.json.gz` and
`compartmentdefinition-patient.json.gz`. The result, `subsets.json`, is committed; the same definitions always give the
same bytes.

    compartment  resource type -> search parameters by which a resource belongs to a patient
    summary      type or path of a nested element -> its elements marked as summary (choices without `[x]`)

*Source*: http://hl7.org/fhir/R4/compartmentdefinition-patient.html, http://hl7.org/fhir/R4/search.html#summary.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).with_name("subsets.json")

_NOT_R4: Final = frozenset({"SubscriptionStatus"})
"""Types of later releases that some packagings of the R4 definitions carry."""


def compile_table(folder: Path) -> str:
    """Compile the definitions in `folder` into the text of the table.

    Args:
        folder: holds the gzipped files named at the top of this module.

    Returns:
        JSON with sorted keys and a newline at the end.

    Raises:
        FileNotFoundError: a definition file is missing.
    """
    table = {
        "compartment": _compartment(_read(folder / "compartmentdefinition-patient.json.gz")),
        "summary": _summary(_read(folder / "profiles-resources.json.gz")),
    }
    return json.dumps(table, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def _read(path: Path) -> dict[str, Any]:
    with gzip.open(path) as file:
        content: dict[str, Any] = json.load(file)
    return content


def _compartment(definition: dict[str, Any]) -> dict[str, str]:
    return {row["code"]: " ".join(sorted(row["param"])) for row in definition["resource"] if row.get("param")}


def _summary(bundle: dict[str, Any]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for entry in bundle["entry"]:
        definition = entry["resource"]
        is_base = definition["resourceType"] == "StructureDefinition" and definition.get("derivation") != "constraint"
        if is_base and definition["kind"] == "resource" and definition["name"] not in _NOT_R4:
            for element in definition["snapshot"]["element"][1:]:
                if element.get("isSummary"):
                    owner, _, name = element["path"].rpartition(".")
                    found.setdefault(owner, []).append(name.removesuffix("[x]"))
    return {owner: " ".join(sorted(names)) for owner, names in found.items()}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m fhirtwin.fhir.search.compile_subsets FOLDER")
    TABLE.write_text(compile_table(Path(sys.argv[1])), encoding="ascii")
