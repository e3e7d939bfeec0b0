"""The demonstration's record stays young, whatever the day."""

from __future__ import annotations

import json
import re
from datetime import date

from fhirtwin import shipped
from fhirtwin.demo import STORY, shifted

RECORD = (shipped.folder("fixtures") / "patients" / STORY / "bundle.json").read_text()


def test_newest_day_of_the_record_becomes_yesterday() -> None:
    moved = shifted(RECORD, date(2031, 1, 1))
    days = re.findall(r'"(?:effective|authored|performed|onset)\w*": "(\d{4}-\d{2}-\d{2})', moved)
    assert max(days) == "2030-12-31"


def test_intervals_birth_date_and_values_stay() -> None:
    before, after = json.loads(RECORD), json.loads(shifted(RECORD, date(2031, 1, 1)))
    assert after["entry"][0] == before["entry"][0]
    creatinines = [e["resource"]["effectiveDateTime"][:10] for e in after["entry"] if "crea" in json.dumps(e).lower()]
    first, second = sorted(map(date.fromisoformat, creatinines))
    assert (second - first).days == (date(2026, 5, 12) - date(2025, 11, 4)).days
