"""What a process asks of the machine it runs on: a port of its own, no memory left behind, an end with its parent."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import socket
import time
from pathlib import Path
from typing import Final

from fhirtwin.errors import Incorrect

_OBJECTS_BETWEEN_LOOKS: Final = 50_000
_BETWEEN_TRIES: Final = 0.05
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_M_ARENA_MAX: Final = -8
"""*Source*: prctl(2), malloc.h."""


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def address_of(host: str) -> str:
    """The address to listen on for `host`, which may be a name: IPv4 when it has one."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    return min(found, key=lambda address: ":" in address)


def free_port(host: str, port: int = 0) -> int:
    """`port`, or one that the system picks for 0, on which nobody listened a moment ago.

    Workers share their port, so a second server could listen on it too, and would get some of the requests that are
    meant for the first.

    Raises:
        Incorrect: somebody listens there, or nobody may.
    """
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise Incorrect(f"Port {port} of {host} cannot be had ({why}); name another.") from None


def free_socket(path: Path) -> None:
    """See that a Unix socket can be made at a path; one on which nobody listens any more is removed.

    Raises:
        Incorrect: somebody listens there, something else is there, or nothing can be made there.
    """
    if path.is_socket():
        if _is_heard(path):
            raise Incorrect(f"{path} is in use: somebody listens there; stop that, or name another.")
        path.unlink(missing_ok=True)  # left by a process that was killed
    elif path.exists():
        raise Incorrect(f"{path} exists and is no socket.")
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(path))
        path.unlink()
    except OSError as error:
        raise Incorrect(
            f"{path} cannot be had ({error.strerror or error}); name one of at most 107 bytes, in a folder that is "
            "yours to write to."
        ) from None


def _is_heard(path: Path) -> bool:
    """Whether somebody listens on a socket, or might: only a refusal says that nobody does."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(1)
        try:
            caller.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True


def wait_for_listener(host: str, port: int) -> None:
    """Return as soon as somebody listens on a port; a connection is made and given up again."""
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            time.sleep(_BETWEEN_TRIES)


def stop_with_parent() -> None:
    """Let the kernel end this process when the one that started it has gone, however it went.

    Raises:
        OSError: the kernel refuses.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_forks() -> None:
    """Let SIGINT and SIGTERM end whatever this process forks from now on, until that has handlers of its own.

    A worker is forked with the handlers of its parent, which only note the signal: one that comes while the worker
    still loads would be lost, and the parent wait for its end for ever.
    """
    os.register_at_fork(after_in_child=_default_signals)


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def settle() -> None:
    """Spare this process, which has loaded what it needs, most of the looking for circles of dead objects.

    What is loaded stays, so it is not looked through again; and a request makes thousands of objects, hardly any of
    them in circles, of which a look each 700 would cost a twentieth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS, 20, 50)


def close_memory() -> None:
    """Let this process leave no core dump, and no other process of the same user read its memory or trace it.

    The limit alone would not do: the kernel does not heed it when it pipes cores to a collector such as systemd's.

    Raises:
        OSError: the kernel refuses; then no key should be made here.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)


def share_arenas() -> None:
    """Let the threads of this process share two heaps; else each reserves address space of its own.

    *Source*: mallopt(3).
    """
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def skip_static_destructors() -> None:
    """Let this process end, with its exit code, before the static destructors of libraries that are loaded by now run.

    Those of SEAL, of which Pyfhel has a copy in each of its extensions, free the same memory pool more than once: the
    process is then aborted after all it had to do. Python's own ending comes before and is not touched. Where there is
    no on_exit(3), as in musl, nothing is changed.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "on_exit"):
        libc.on_exit(libc._exit, None)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel refuses what this process asks of it")
