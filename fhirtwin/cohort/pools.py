"""Who works on blocks: processes of this machine, or of a Ray cluster. One code path: both run `worker.run`."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from fhirtwin.cohort import worker
from fhirtwin.cohort.job import Block, Done, Job
from fhirtwin.errors import Incorrect, Unavailable

_DIED = (
    "A worker process died (was it killed, or out of memory?). What was written stands; run the same command again to "
    "go on."
)


class Pool(Protocol):
    """Some processes that work on blocks of one job."""

    size: int

    def submit(self, block: Block) -> Any:
        """Hand a block in; gives what `first` knows it by."""

    def first(self, waiting: Collection[Any]) -> tuple[Any, Done]:
        """Wait for any of those that were handed in.

        Raises:
            Unavailable: a process died.
        """

    def close(self) -> None:
        """Let the processes go; what they still do is thrown away."""


class LocalPool:
    """Processes of this machine."""

    def __init__(self, job: Job, size: int) -> None:
        self._job, self.size = job, size
        # Not forked: what a parent's threads hold would stay held in the child.
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(size, mp_context=context, initializer=worker.begin)

    def submit(self, block: Block) -> Future[Done]:
        """Hand a block in."""
        try:
            return self._executor.submit(worker.run, self._job, block)
        except BrokenProcessPool:
            raise Unavailable(_DIED) from None

    def first(self, waiting: Collection[Future[Done]]) -> tuple[Future[Done], Done]:
        """Wait for any of those that were handed in."""
        ready = wait(waiting, return_when=FIRST_COMPLETED).done.pop()
        try:
            return ready, ready.result()
        except BrokenProcessPool:
            raise Unavailable(_DIED) from None

    def close(self) -> None:
        """Let the processes go."""
        self._executor.shutdown(cancel_futures=True)


class RayPool:
    """Processes of a Ray cluster: all inside the hospital, for they see patients.

    Args:
        job: what blocks are worked on with.
        address: of the cluster, as `ray.init` takes it; `local` starts one on this machine.
        size: blocks at work at once; 0 takes one a CPU of the cluster.
    """

    def __init__(self, job: Job, address: str, size: int) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing of a hospital's machine is told to anybody
        try:
            import ray
        except ImportError:
            raise Incorrect("Ray is not installed: `pip install 'fhirtwin[cluster]'`, or leave --ray out.") from None
        self._ray: Any = ray
        started: dict[str, Any] = {"num_cpus": size or None} if address == "local" else {}
        try:
            ray.init(address=address, include_dashboard=False, log_to_driver=False, configure_logging=False, **started)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise Unavailable(f"There is no Ray cluster at {address} ({type(error).__name__}).") from None
        self.size = size or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        self._job = ray.put(job)
        self._work: Any = ray.remote(num_cpus=1, max_retries=2)(worker.run)

    def submit(self, block: Block) -> Any:
        """Hand a block in."""
        return self._work.remote(self._job, block)

    def first(self, waiting: Collection[Any]) -> tuple[Any, Done]:
        """Wait for any of those that were handed in."""
        ready = self._ray.wait(list(waiting), num_returns=1)[0][0]
        try:
            done: Done = self._ray.get(ready)
        except self._ray.exceptions.RayError:
            raise Unavailable(_DIED) from None
        return ready, done

    def close(self) -> None:
        """Leave the cluster, or stop the one that was started."""
        self._ray.shutdown()
