"""What a program and its children spent, read from the kernel: a figure that other load on the machine moves little."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_seconds(root: int) -> tuple[float, float]:
    """CPU seconds, user and system, of a process with its children, and of the engine's among them.

    Args:
        root: process id. What a process spent that has ended is not counted.

    Returns:
        Of all but the engine's processes, and of the engine's.
    """
    tick = os.sysconf("SC_CLK_TCK")
    spent = {"root": 0.0, "engine": 0.0}
    pending = [(root, "root")]
    while pending:
        pid, side = pending.pop()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        side = "engine" if b"engine" in command else side
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent[side] += (int(fields[11]) + int(fields[12])) / tick
        for task in Path(f"/proc/{pid}/task").iterdir():
            pending += [(int(child), side) for child in (task / "children").read_text().split()]
    return spent["root"], spent["engine"]
