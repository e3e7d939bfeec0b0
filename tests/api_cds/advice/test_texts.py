"""The folder of guideline texts, from the setting to a card."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirtwin import keyfile
from fhirtwin.app import create_app
from fhirtwin.pgx.knowledge import bounded
from fhirtwin.settings import Settings
from fhirtwin.terms.drugs.ingredients import CODES
from tests.api_cds.advice.test_genes import gene
from tests.api_cds.advice.test_order_safety import bundle, draft
from tests.pgx.knowledge.files import annotation, put


def test_texts_come_to_the_card_and_the_folder_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "kb/a.jsonl", annotation())
    data = tmp_path / "data"
    data.mkdir()
    for name in ("engine.key", "token"):
        keyfile.read_or_make(data / name)
    read: list[Path] = []
    text = bounded.text
    monkeypatch.setattr(bounded, "text", lambda path: (read.append(path), text(path))[1])
    settings = Settings(
        data=data,
        engine_url=f"unix:{data}/none.sock",
        base_url="http://127.0.0.1/fhir",
        pgx_kb_path=str(tmp_path / "kb"),
    )
    client = create_app(settings).test_client()
    assert len(read) == 1
    sent = {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "1",
            "draftOrders": bundle(draft(CODES["aripiprazole"]), type_="collection"),
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "1"},
            "medications": bundle(),
            "allergies": bundle(),
            "conditions": bundle(),
            "genomics": bundle(gene("CYP2D6", "*4/*4")),
        },
    }
    header = {"Authorization": f"Bearer {keyfile.read(data / 'token')}"}
    for _ in range(2):
        answer = client.post("/cds-services/twin-order-sign", json=sent, headers=header)
        assert answer.status_code == 200, answer.text
        (card,) = [one for one in answer.json["cards"] if one["summary"].startswith("Aripiprazole")]  # type: ignore[index]
        assert "no more than 10 mg/day" in card["detail"]
        assert "CC BY-SA 4.0 (ClinPGx)" in card["detail"].replace("\\", "")
    assert len(read) == 1
