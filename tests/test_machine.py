from __future__ import annotations

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("code", [0, 3])
def test_a_process_that_used_the_ring_ends_with_its_own_code(code: int) -> None:
    """Pyfhel's copies of SEAL would free one memory pool several times when they are unloaded."""
    program = f"import sys\nfrom fhirtwin.ckks import context\nprint('said', flush=False)\nsys.exit({code})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "said\n", "")


SETTLE = """
import gc
from fhirtwin import machine
machine.settle()
print(gc.isenabled(), gc.get_freeze_count() > 1000, gc.get_threshold()[0])
class Circle: pass
import weakref
first = Circle(); first.self = first; seen = weakref.ref(first); del first
kept = [[] for _ in range(60_000)]
print(seen() is None)
"""


def test_a_process_that_settled_still_finds_circles_made_after() -> None:
    told = subprocess.run([sys.executable, "-c", SETTLE], capture_output=True, text=True, check=True).stdout.split()
    assert told == ["True", "True", "50000", "True"]
