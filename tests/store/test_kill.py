"""A writer that is killed in the middle leaves whole transactions only, and every one it acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fhirtwin.settings import Settings
from fhirtwin.store import Store

ENTRIES = 12
WRITE = f"""
import sys
from pathlib import Path
from fhirtwin.access import OPEN
from fhirtwin.interactions.transaction import transaction
from tests import parts
services = parts.services(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 10**9):
    entries = [
        parts.entry("PUT", f"Patient/t{{number}}-{{place}}", parts.patient(id=f"t{{number}}-{{place}}"))
        for place in range({ENTRIES})
    ]
    transaction(services, OPEN, parts.body(parts.transaction(*entries)))
    print(number, flush=True)
"""


def test_kill_9_leaves_no_part_of_a_transaction_and_loses_none_acknowledged(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    begin, acknowledged = 0, set()
    for kill in range(4):
        command = [sys.executable, "-c", WRITE, str(tmp_path), str(begin)]
        writer = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        first = int(writer.stdout.readline())  # it is running
        time.sleep(0.05 + 0.037 * kill)
        writer.send_signal(signal.SIGKILL)
        acknowledged |= {first, *map(int, writer.stdout.read().split())}
        writer.wait()
        writer.stdout.close()
        begin = max(acknowledged) + 2  # one that was committed and not acknowledged may be there

        store = Store.open(Settings(data=tmp_path))
        with store._reading.begin() as connection:
            ids = [row.id for row in connection.exec_driver_sql("SELECT id FROM resource").all()]
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        store.close()
        counts: dict[int, int] = {}
        for id_ in ids:
            number = int(id_[1:].partition("-")[0])
            counts[number] = counts.get(number, 0) + 1
        assert set(counts.values()) == {ENTRIES}
        assert acknowledged <= counts.keys()
