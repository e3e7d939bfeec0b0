"""An engine process beside the gateway, with an environment of its own, watched and started again when it dies."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import click

from fhirtwin import keyfile
from fhirtwin.courier import Courier
from fhirtwin.settings import Settings

ENGINE_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TMPDIR")
"""All that an engine gets to see of the environment of the gateway."""


class Engine:
    """An engine process beside the gateway, started again when it dies; nothing when settings name another one.

    Args:
        settings: how many processes it has, and within how much memory.
        batch: it also evaluates thousands of patients in a call.
    """

    def __init__(self, settings: Settings, *, batch: bool = False) -> None:
        self.settings = settings
        self._batch = batch
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Engine:
        if self.settings.engine_url:
            # The workers make their own; this one only says what is wrong with the address while somebody reads it.
            Courier.of(self.settings)
            return self
        keyfile.read_or_make(self.settings.engine_key_path)
        # Not in the data folder: the path of a Unix socket may have 107 characters at most.
        self._folder = tempfile.TemporaryDirectory(prefix="fhirtwin-")
        self.settings = replace(self.settings, engine_url=f"unix:{self._folder.name}/engine.sock")
        self._start()
        threading.Thread(target=self._watch, name="engine-watch", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._let_go()
        if self._folder:
            self._folder.cleanup()

    def _start(self) -> None:
        settings = self.settings
        command = [sys.executable, "-m", "fhirtwin", "engine", "--listen", settings.engine_url]
        command += ["--engine-key", str(settings.engine_key_path), "--workers", str(settings.engine_workers)]
        command += ["--memory-mb", str(settings.engine_memory_mb), "--with-stdin"]
        command += ["--batch"] if self._batch else []
        if settings.engine_models:
            command += ["--models", str(Path(settings.engine_models).absolute())]
            command += ["--authors", str(settings.authors_path.absolute())]
        scrubbed = {name: os.environ[name] for name in ENGINE_ENVIRONMENT if name in os.environ}
        # The pipe is never written to: it ends when this process does, however it does, and then the engine stops too.
        self._process = subprocess.Popen(command, env=scrubbed, stdin=subprocess.PIPE, cwd="/")  # noqa: S603

    def _let_go(self) -> None:
        """Close our end of the pipe to an engine that has stopped."""
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def _watch(self) -> None:
        while not self._stopping.wait(0.5):
            if self._process and self._process.poll() is not None:
                click.echo(
                    f"fhirtwin: the engine stopped (exit code {self._process.returncode}); starting it again", err=True
                )
                self._let_go()
                self._start()
