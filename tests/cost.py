"""What work costs, told so that neither a busy machine nor what other tests left in memory changes a verdict."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this thread, with the collector off: it would walk through all that other tests hold."""
    on = gc.isenabled()
    gc.disable()
    try:
        start = time.thread_time()
        work()
        return time.thread_time() - start
    finally:
        if on:
            gc.enable()


def growth(work: Callable[[int], object], size: int, times: int = 8) -> float:
    """How often the cost of `size` is in that of `times` as much, the least of three tries each."""
    small = min(cpu_seconds(lambda: work(size)) for _ in range(3))
    large = min(cpu_seconds(lambda: work(size * times)) for _ in range(3))
    return large / small
