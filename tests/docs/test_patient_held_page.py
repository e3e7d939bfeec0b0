"""The Python of the page on patient-held keys runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.roads.gateway import maria, running


def test_the_python_of_the_page_prints_risks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "patient-held.md").read_text(), re.DOTALL)
    with running(tmp_path / "data") as gateway:
        patient = gateway.post_record(maria())
        whole = gateway.http.get(f"{gateway.base}/Patient/{patient}/$everything?_count=1000")
        monkeypatch.chdir(tmp_path)
        Path("record.json").write_bytes(whole.content)
        exec(code, {"base_url": gateway.base, "patient": patient, "token": ""})  # noqa: S102
    printed = capsys.readouterr().out
    assert "AHA PREVENT equations, base model (2023) ascvd-10y" in printed
    assert "Kidney failure risk equation" in printed
    assert len(re.findall(r" \d+\.\d+$", printed, re.MULTILINE)) >= 5
