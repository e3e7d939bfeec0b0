"""Answers that are not what a right engine gives, and uploads that are not what a gateway sends, by the thousand.

    python -m tests.engine.attacks [ANSWERS] [UPLOADS] [SEED]

Both of every kind that there is: panels in both modes, tables, batches, and packages of all kinds. No such answer may
be accepted; after all uploads the engine must answer every kind rightly and its workers have grown by no more than a
bound. Exit code 1 and the seed when that is not so.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.engine.spoilt_answers import answers
from tests.engine.spoilt_uploads import uploads

ANSWERS, UPLOADS = 10_000, 20_000
MOST_GROWTH_MB: Final = 128


def main() -> int:
    """Attack, and say by the exit code whether all was refused."""
    given = [int(word) for word in sys.argv[1:4]]
    count, sent, seed = [*given, *(ANSWERS, UPLOADS, random.SystemRandom().randrange(2**32))[len(given) :]]
    with tempfile.TemporaryDirectory() as made:
        tried, accepted = answers(count, seed, Path(made))
    print(f"{tried.total()} spoilt answers {dict(tried)}, {accepted.total()} accepted {dict(accepted) or ''}")
    with tempfile.TemporaryDirectory() as made:
        statuses, growth, wrong = uploads(sent, seed, Path(made))
    print(f"{sent} spoilt uploads: {dict(sorted(statuses.items()))}; the worker grew by {growth:.0f} MiB {wrong or ''}")
    if accepted or wrong or growth > MOST_GROWTH_MB or statuses[500]:
        print(f"seed {seed}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
