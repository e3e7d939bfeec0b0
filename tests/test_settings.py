"""Settings come from the environment once, and what does not fit is refused by name."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

import fhirtwin
from fhirtwin.errors import Incorrect
from fhirtwin.settings import Settings


def test_values_are_read_in_their_types() -> None:
    settings = Settings.from_env(
        {"FHIRTWIN_OPEN": "true", "FHIRTWIN_DATA": "/srv/twin", "FHIRTWIN_MAX_COUNT": "7", "OTHER": "x"}
    )
    assert (settings.open, settings.data, settings.max_count) == (True, Path("/srv/twin"), 7)


def test_keyword_wins_over_environment() -> None:
    assert Settings.from_env({"FHIRTWIN_WORKERS": "3"}, workers=2).workers == 2


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FHIRTWIN_OPNE", "true", "FHIRTWIN_OPNE is not a setting"),
        ("FHIRTWIN_OPEN", "perhaps", "must be true or false"),
        ("FHIRTWIN_MAX_COUNT", "many", "must be a whole number"),
        ("FHIRTWIN_MAX_COUNT", "0", "must be at least 1"),
        ("FHIRTWIN_SEALING", "none", "must be one of masked, rotating"),
        ("FHIRTWIN_KFRE_REFERRAL_PERCENT", "6", "KDIGO's 3 to 5"),
        ("FHIRTWIN_ENGINE_TIMEOUT_SECONDS", "nan", "must be at least"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name: str, value: str, says: str) -> None:
    with pytest.raises(Incorrect, match=says):
        Settings.from_env({name: value})


def test_environment_of_settings_makes_equal_settings() -> None:
    settings = Settings(data=Path("/srv/twin"), open=True, engine_url="unix:/run/e.sock", kfre_referral_percent=3.5)
    assert Settings.from_env(settings.to_env()) == settings


def test_texts_name_settings_as_they_are_set() -> None:
    names = "|".join(field.name for field in fields(Settings))
    said = re.compile(rf"\"[^\"\n]* \(({names})\)")
    files = Path(fhirtwin.__file__).parent.rglob("*.py")
    assert [(file.name, found) for file in files for found in said.findall(file.read_text())] == []
