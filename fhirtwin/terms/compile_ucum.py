"""Compiles the official table of UCUM into the small one that `fhirtwin.terms.ucum` reads.

Run as `python -m fhirtwin.terms.compile_ucum ucum-essence.xml`; the result, `ucum.json`, is committed. Its members:

    prefixes    symbol -> factor
    units       symbol -> "value unit", the latter in terms of other units; `metric` before it where prefixes may be
                added, `arbitrary` where it is a dimension of its own, `special` where it is no multiple of other units

*Source*: https://ucum.org, ucum-essence.xml 2.2.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml  # nosec B405

TABLE: Final = Path(__file__).with_name("ucum.json")

_NAMESPACE: Final = "{http://unitsofmeasure.org/ucum-essence}"
_NOTICE: Final = (
    "Units of UCUM {version}, copyright Regenstrief Institute, Inc. and the UCUM Organization, all rights reserved; "
    "used and passed on under the UCUM licence, https://ucum.org/license."
)


def compile_units(file: Path) -> str:
    """Compile the official table into the text of ours.

    Args:
        file: `ucum-essence.xml` as published.

    Returns:
        JSON with sorted keys and a newline at the end.
    """
    root = Xml.parse(file).getroot()  # noqa: S314 - a developer's own copy of a published file
    prefixes = {one.attrib["Code"]: _value(one)["value"] for one in root.iter(f"{_NAMESPACE}prefix")}
    units = {one.attrib["Code"]: "metric base" for one in root.iter(f"{_NAMESPACE}base-unit")}
    units |= {one.attrib["Code"]: _unit(one) for one in root.iter(f"{_NAMESPACE}unit")}
    table = {"notice": _NOTICE.format(version=root.attrib["version"]), "prefixes": prefixes, "units": units}
    return json.dumps(table, indent=1, sort_keys=True) + "\n"


def _value(element: Xml.Element) -> dict[str, str]:
    value = element.find(f"{_NAMESPACE}value")
    if value is None:
        raise ValueError(f"{element.attrib['Code']} has no value.")
    return value.attrib


def _unit(element: Xml.Element) -> str:
    value = _value(element)
    metric = "metric " if element.attrib["isMetric"] == "yes" else ""
    if element.attrib.get("isSpecial") == "yes":
        return f"{metric}special"
    if element.attrib.get("isArbitrary") == "yes" and value["Unit"] == "1":
        return f"{metric}arbitrary"
    return f"{metric}{value['value']} {value['Unit']}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m fhirtwin.terms.compile_ucum ucum-essence.xml")
    TABLE.write_text(compile_units(Path(sys.argv[1])), encoding="ascii")
