"""The demonstration's record stays young, whatever the day."""

from __future__ import annotations

import json
import re
from datetime import date

from fhirtwin import shipped
from fhirtwin.demo import STORY, rendered, shifted

RECORD = (shipped.folder("fixtures") / "patients" / STORY / "bundle.json").read_text()


def test_newest_day_of_the_record_becomes_yesterday() -> None:
    moved = shifted(RECORD, date(2031, 1, 1))
    days = re.findall(r'"(?:effective|authored|performed|onset)\w*": "(\d{4}-\d{2}-\d{2})', moved)
    assert max(days) == "2030-12-31"


def test_intervals_and_ages_stay() -> None:
    before, after = json.loads(RECORD), json.loads(shifted(RECORD, date(2031, 1, 1)))
    born = [date.fromisoformat(r["entry"][0]["resource"]["birthDate"]) for r in (before, after)]
    assert (date(2030, 12, 31) - born[1]) == (date(2026, 5, 31) - born[0])
    codes = ('"2160-0"', '"14682-9"')
    creatinines = [
        entry["resource"]["effectiveDateTime"][:10]
        for entry in after["entry"]
        if any(code in json.dumps(entry) for code in codes)
    ]
    first, second = sorted(map(date.fromisoformat, creatinines))
    assert (second - first).days == (date(2026, 5, 12) - date(2025, 11, 4)).days


def test_tables_become_columns_and_marks_go() -> None:
    markdown = "**Bold** and a\\.b\n\n| Input | Value |\n| --- | --- |\n| a\\|b | 1 |\n\nend"
    assert list(rendered(markdown)) == ["Bold and a.b", "", "Input  Value", "─────  ─────", "a|b    1", "", "end", ""]
