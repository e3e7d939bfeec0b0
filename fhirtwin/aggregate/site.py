"""What a site does: look at a study, add up its own rows, seal what they come to, and remember that it did."""

from __future__ import annotations

import json
from pathlib import Path

from fhirtwin.aggregate import tallying
from fhirtwin.errors import Conflict, Incorrect
from fhirtwin.studies.files import create, round_in, study_in
from fhirtwin.studies.study import Study
from fhirtwin.vault import study_keys
from fhirtwin.vault.studies import seal


def contribute(
    study_file: Path,
    invitation_file: Path,
    round_file: Path | None,
    data: Path,
    out: Path,
    *,
    at_least: int,
    again: bool,
) -> Study:
    """Seal what the rows of `data` come to.

    Args:
        study_file: from the coordinator.
        invitation_file: from the coordinator, secret; what was sealed is noted beside it.
        round_file: from the coordinator; none in the first round.
        data: rows of this site.
        out: file to write.
        at_least: refuse a study that can do with fewer contributors.
        again: seal once more for a round that was sealed for already.

    Raises:
        Incorrect: something is not such as the study declares.
        Conflict: this round was sealed for already.
    """
    study = study_in(study_file)
    if study.plan.minimum_contributors < at_least:
        raise Incorrect(
            f"The study {study.plan.name} opens totals of {study.plan.minimum_contributors} contributors, and you want "
            f"at least {at_least}; ask the coordinator for another study."
        )
    invitation = study_keys.invitation(invitation_file)
    if invitation.study != study.digest:
        raise Incorrect("The invitation is to another study, or the study file was changed; get both again.")
    current = round_in(round_file, study)
    notes = invitation_file.with_name(invitation_file.name + ".sealed")
    noted = _noted(notes)
    if not again and str(current.number) in noted:
        raise Conflict(
            f"This site sealed for round {current.number} of {study.plan.name} already. --again does it once more, for "
            "when the file was lost or the rows were wrong and nobody has added it yet."
        )
    if noted.get(str(current.number), current.binding.hex()) != current.binding.hex():
        raise Conflict(
            f"This site sealed for another round {current.number} of {study.plan.name}; there is one of each."
        )
    if out.exists():
        raise Incorrect(f"{out} exists already; name another, or remove it.")
    sealed = seal(study, current, invitation, tallying.statistics(data, study, current))
    notes.write_text(json.dumps(noted | {str(current.number): current.binding.hex()}) + "\n")
    create(out, sealed)
    return study


def _noted(path: Path) -> dict[str, str]:
    """Round to its binding."""
    try:
        return {str(number): str(binding) for number, binding in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        raise Incorrect(f"{path} cannot be read; it notes the rounds that this site sealed for.") from None
