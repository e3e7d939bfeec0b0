"""Keeps the memory of the process that holds secret keys out of files and from its neighbours."""

from __future__ import annotations

import ctypes
import resource

_PR_SET_DUMPABLE = 4
"""Source: prctl(2)."""


def close_memory() -> None:
    """Let this process leave no core dump, and no other process of the same user read its memory or trace it.

    The limit alone would not do: the kernel does not heed it when it pipes cores to a collector such as systemd's.

    Raises:
        OSError: the kernel refuses; then no key should be made here.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this process cannot be kept from being dumped")
