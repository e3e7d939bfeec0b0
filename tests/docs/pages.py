"""Pages whose code is run."""

from __future__ import annotations

import re
from pathlib import Path


def run_code(page: Path) -> None:
    """Run the Python of one of our own pages from above to below, as somebody would who follows it."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert blocks
    exec(compile("\n".join(blocks), page.name, "exec"), {})  # noqa: S102 - our own page
