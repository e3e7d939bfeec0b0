#!/usr/bin/env python3
"""Build what a browser runs for `/my-twin`, where npm is there; without it the page says so and all else works.

`npm ci` takes node-seal as the lock file names it, `npm run build` puts files together. Nothing of it is committed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "browser"
BUNDLE = ROOT / "fhirtwin" / "api" / "ui" / "built"
STAMP = BUNDLE / ".sources"
SECONDS = 300
MISSING = "no Node.js with npm here: the page /my-twin is not built (Debian: nodejs npm; then build_support/browser.py)"


def main() -> bool:
    """Build it unless it is built of these sources; tell whether it is there."""
    if not (SOURCES / "package-lock.json").is_file():
        return BUNDLE.is_dir()  # a source package without them
    wanted = digest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return True
    if (BUNDLE / "manifest.json").is_file() and not STAMP.is_file():
        return True  # built elsewhere and brought here, as in the images
    if shutil.which("npm") is None or shutil.which("node") is None:
        print(MISSING, flush=True)
        return False
    quiet = {**os.environ, "npm_config_loglevel": "error"}
    try:
        for command in (["npm", "ci"], ["npm", "run", "--silent", "build"]):
            subprocess.run(
                command,
                cwd=SOURCES,
                env=quiet,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=True,
            )
    except (OSError, subprocess.SubprocessError) as error:
        told = getattr(error, "stderr", b"") or b""
        print(f"the page /my-twin is not built: {' '.join(command)} failed ({type(error).__name__})", flush=True)
        print(told.decode(errors="replace")[-500:], flush=True)
        return False
    STAMP.write_text(wanted)
    return True


def digest() -> str:
    """Of everything that the build is made of."""
    made = hashlib.sha256()
    files = [SOURCES / "package-lock.json", SOURCES / "build.mjs", *(SOURCES / "src").rglob("*.js")]
    for file in sorted(files):
        made.update(f"{file.relative_to(SOURCES)}\0".encode() + file.read_bytes())
    return made.hexdigest()


if __name__ == "__main__":
    main()
