from __future__ import annotations

import subprocess
import sys

TELL = """
import ctypes, resource
from fhirtwin import machine
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
machine.close_memory()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_a_process_that_closed_its_memory_is_not_dumpable() -> None:
    told = subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, check=True).stdout.split()
    assert told == ["1", "0", "0", "0"]
