"""Makes a package with one CDS service: it runs, its test passes, and what it says is there to be replaced."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Final

from fhirtwin.errors import Conflict, Incorrect

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST: Final = 50

_PYPROJECT: Final = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
description = "A CDS Hooks service for fhirtwin."
requires-python = ">=3.11"
dependencies = ["fhirtwin"]

[project.entry-points."fhirtwin.hooks"]
{name} = "{module}:SERVICE"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
"""

_SERVICE: Final = '''\
"""`{name}`: says when nobody would know how to reach the patient. Replace this by what your service does."""

from fhirtwin.api.cds.service import Call, Response, Service
from fhirtwin.intake.prefetch import Template


def view(call: Call) -> Response:
    """Answer one call: what the EHR sent is valid FHIR R4 and this patient's, or the call would not have come here."""
    patients = [resource for source, resource in call.prefetched.resources if source.type == "Patient"]
    if any(patient.get("telecom") for patient in patients):
        return Response()  # nothing to say
    card = {{
        "summary": "No phone number and no e-mail address is recorded",
        "indicator": "info",
        "detail": "Ask the patient how to reach them.",
        "source": {{"label": "{name}"}},
    }}
    return Response([card])


SERVICE = Service(
    id="{name}",
    hooks=("{hook}",),
    title="Ways to reach the patient",
    description="Says when no phone number and no e-mail address is recorded.",
    prefetch={{"patient": Template("Patient/{{{{context.patientId}}}}")}},
    handler=view,
)
'''

_TEST: Final = '''\
"""The service, called as an EHR calls it: what breaks the rules of CDS Hooks fails here."""

from fhirtwin.testing.services import answer
from {module} import SERVICE

PATIENT = {{"resourceType": "Patient", "id": "p1", "birthDate": "1964-03-14"}}


def test_a_patient_whom_nobody_can_reach_gets_a_card():
    (card,) = answer(SERVICE, {{"patient": PATIENT}}, patient="p1")["cards"]
    assert "No phone number" in card["summary"]


def test_a_patient_with_a_phone_number_gets_none():
    reachable = PATIENT | {{"telecom": [{{"system": "phone", "value": "+1 555 0100"}}]}}
    assert answer(SERVICE, {{"patient": reachable}}, patient="p1")["cards"] == []
'''

_README: Final = """\
# {name}

A CDS Hooks service on `{hook}` for fhirtwin.

    pip install pytest      once, with the Python that fhirtwin is installed in
    python -m pytest        try it
    pip install .           beside fhirtwin; then restart the gateway, and discovery lists it
"""


def make(name: str, hook: str, into: Path) -> Path:
    """Write the package; the folder.

    Args:
        name: of the package and id of the service: lower-case letters, digits and hyphens.
        hook: one that fhirtwin knows, or one of your own with a reverse-domain name.
        into: the folder to make it in.

    Raises:
        Incorrect: the name or the hook cannot be used.
        Conflict: something is there already.
    """
    from fhirtwin.api.cds import hooks

    module = name.replace("-", "_")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise Incorrect("NAME must be lower-case letters and digits, with single hyphens between: reach-the-patient.")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module in ("fhirtwin", "tests"):
        raise Incorrect(f"NAME must be another: Python has a module {module} already, or keeps the word for itself.")
    if hooks.hook(hook) is None:
        known = ", ".join(hooks.HOOKS)
        raise Incorrect(f"--hook must be one of {known}; or one of your own, with a reverse-domain name.")
    folder = into / name
    if folder.exists():
        raise Conflict(f"{folder} is there already; choose another NAME or another --into.")
    files = {
        "pyproject.toml": _PYPROJECT,
        "README.md": _README,
        f"{module}/__init__.py": _SERVICE,
        f"tests/test_{module}.py": _TEST,
    }
    for path, text in files.items():
        at = folder / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text.format(name=name, module=module, hook=hook))
    return folder
