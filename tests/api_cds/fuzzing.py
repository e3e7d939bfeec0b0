"""Calls of every hook, changed in structure-aware ways, against the door in both modes and the built-in services.

    python -m tests.api_cds.fuzzing [CALLS] [SEED] [--shared FOLDER]

No call may be answered with 5xx, nor take longer than two seconds. What breaks this is printed with its seed, and the
exit code is 1.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from fhirtwin.api.cds.hooks import HOOKS
from fhirtwin.api.cds.service import Call, Response
from fhirtwin.intake.templates import Template
from tests.api_cds.door import AUTHORIZATION, CARD, EHR, Pretended, body, door, service
from tests.api_cds.test_hooks import CONTEXTS
from tests.gateway_in_process import gateway, maria
from tests.intake.builders import bundle, condition, observation, person

LONGEST_SECONDS = 2.0
BUILT_IN_SHARE = 0.1

JUNK: tuple[Any, ...] = (
    *(None, "", [], {}, 0, -1, 1e308, 10**30, True, False, [[]], [None], {"": ""}, {"resourceType": "Bundle"}),
    *(
        "Patient/1",
        "Patient/2",
        "urn:uuid:x",
        "#x",
        "../..",
        "{{context.patientId}}",
        "\u202e",
        "é" * 300,
        "a" * 70_000,
    ),
    *("https://evil.example/fhir", "http://127.0.0.1/", "file:///etc/passwd", "https://user:x@h/", "2024-02-30", "NaN"),
    *(
        {"resourceType": "Patient", "id": "p2"},
        {"reference": "Patient/2"},
        {"resourceType": "MedicationOrder"},
        ["x"] * 500,
    ),
    *(
        {"relation": "next", "url": "https://evil.example"},
        {"resource": {"resource": {}}},
        "2024",
        "PractitionerRole/x",
    ),
)
NAMES = (
    "resourceType",
    "id",
    "reference",
    "entry",
    "link",
    "total",
    "type",
    "contained",
    "extension",
    "_id",
    "",
    "é",
    "__proto__",
)


@dataclass(frozen=True)
class Sent:
    """A call as bytes, and whom it goes to."""

    path: str
    data: bytes


def mutated(value: Any, chance: random.Random) -> Any:
    """A copy of a JSON value with no to five changes."""
    changed = copy.deepcopy(value)
    for _ in range(chance.choice((0, 1, 1, 1, 1, 2, 5))):
        places = list(_places(changed))
        if not places:
            return chance.choice(JUNK)
        owner, key = chance.choice(places)
        chance.choice(CHANGES)(owner, key, chance, places)
    return changed


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and item of a JSON value, as its owner and its name or number."""
    waiting = [value]
    while waiting:
        owner = waiting.pop()
        items = list(owner.items()) if isinstance(owner, dict) else list(enumerate(owner))
        for key, item in items:
            yield owner, key
            if isinstance(item, dict | list):
                waiting.append(item)


def _remove(owner: Any, key: Any, _: random.Random, __: Any) -> None:
    del owner[key]


def _replace(owner: Any, key: Any, chance: random.Random, _: Any) -> None:
    owner[key] = copy.deepcopy(chance.choice(JUNK))


def _repeat(owner: Any, key: Any, chance: random.Random, _: Any) -> None:
    if isinstance(owner, list):
        owner += [copy.deepcopy(owner[key])] * chance.choice((1, 3, 200))
    else:
        owner[key] = [owner[key]]


def _add(owner: Any, _: Any, chance: random.Random, __: Any) -> None:
    if isinstance(owner, dict):
        owner[chance.choice(NAMES)] = copy.deepcopy(chance.choice(JUNK))
    else:
        owner.append(copy.deepcopy(chance.choice(JUNK)))


def _move(owner: Any, key: Any, chance: random.Random, places: Any) -> None:
    """Put a copy of what stands elsewhere into this place."""
    other, name = chance.choice(places)
    try:
        owner[key] = copy.deepcopy(other[name])
    except (KeyError, IndexError):
        owner[key] = None


def _nest(owner: Any, key: Any, chance: random.Random, _: Any) -> None:
    for _depth in range(chance.choice((1, 5, 80))):
        owner[key] = [owner[key]] if chance.random() < 0.5 else {"contained": [owner[key]]}


def _scribble(owner: Any, key: Any, chance: random.Random, _: Any) -> None:
    """Change a letter of a text, or a number by a little."""
    value = owner[key]
    if isinstance(value, str) and value:
        at = chance.randrange(len(value))
        owner[key] = value[:at] + chance.choice("\x00\n/ |&?#'\"\\<{é9") + value[at + chance.randrange(2) :]
    elif isinstance(value, int | float):
        owner[key] = value + chance.choice((-1, 1, 0.5))


CHANGES: tuple[Callable[[Any, Any, random.Random, Any], None], ...] = (
    _remove,
    _replace,
    _repeat,
    _add,
    _move,
    _nest,
    _scribble,
)


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """The bytes of a call, now and then cut, doubled in a member or changed in one byte."""
    match chance.randrange(30):
        case 0:
            return data[: chance.randrange(len(data))]
        case 1:
            return data.replace(b'"context":', b'"context":{"patientId":"2"},"context":', 1)
        case 2:
            at = chance.randrange(len(data))
            return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        case 3:
            return b"\xef\xbb\xbf" + data
        case _:
            return data


def _touch(call: Call) -> Response:
    """Look at all that a service can look at."""
    seen = [getattr(call.context, field.name) for field in fields(call.context)]
    text = f"{len(seen)} {len(call.prefetched.resources)} {call.user.reference if call.user else ''}"
    return Response([{**CARD, "detail": text}])


TEMPLATES = {
    "patient": Template("Patient/{{context.patientId}}"),
    "conditions": Template("Condition?patient={{context.patientId}}"),
    "observations": Template("Observation?patient={{context.patientId}}&code=2160-0", required=False),
}
PREFETCH = {"patient": person(id="1"), "conditions": bundle(condition("c1", "Patient/1"))}
PREFETCH["observations"] = bundle(observation("o1", "Patient/1"), observation("o2", "Patient/1", status="amended"))


def seeds(shared: Path | None) -> list[dict[str, Any]]:
    """Calls to begin with: one of each hook, and those that others published."""
    found = []
    for hook, context in CONTEXTS.items():
        more = {"fhirServer": EHR, "fhirAuthorization": AUTHORIZATION, "prefetch": PREFETCH}
        found.append(body(hook, context=context, **more))
    folder = shared / "data" / "cds-hooks" / "requests" if shared else None
    for path in sorted(folder.glob("*/*.json")) if folder else ():
        sent = json.loads(path.read_text())
        if isinstance(sent, dict) and sent.get("hook") in HOOKS:
            found.append(sent)
    return found


class Range:
    """What is shot at."""

    def __init__(self, folder: Path, shared: Path | None) -> None:
        (folder / "whole").mkdir()
        services = [
            service(_touch, id=hook.replace(".", "-") + more, hooks=(hook,), prefetch=TEMPLATES if more else {})
            for hook in CONTEXTS
            for more in ("", "-more")
        ]
        ehr = Pretended({"Patient/1": person(id="1"), "Condition?patient=1": bundle(condition("c", "Patient/1"))})
        self.doors = [
            door(folder / "strict", *services, outbound=ehr),
            door(folder / "lenient", *services, outbound=ehr, cds_lenient="all"),
        ]
        self.whole = gateway(folder / "whole")
        record = self.whole.load(maria())
        self.seeds = seeds(shared)
        context = {"userId": "Practitioner/p", "patientId": record}
        self.built_in = body(context=context, prefetch=self.whole.prefetch(record), fhirServer=EHR)

    def close(self) -> None:
        """Close the databases."""
        for each in (*self.doors, self.whole):
            each.parts.store.close()

    def shoot(self, number: int, seed: int) -> tuple[int, float, Sent]:
        """Send call `number` of a run; its status, the seconds that it took, and what was sent."""
        chance = random.Random(f"{seed} {number}")  # noqa: S311 - a repeatable call, not a secret
        if chance.random() < BUILT_IN_SHARE:
            client: FlaskClient = self.whole.http
            sent, path = self.built_in, "/cds-services/twin-patient-view"
        else:
            client, sent = chance.choice(self.doors).http, chance.choice(self.seeds)
            path = f"/cds-services/{sent['hook'].replace('.', '-')}{chance.choice(('', '-more'))}"
        data = spoilt(json.dumps(mutated(sent, chance)).encode(), chance)
        begin = time.perf_counter()
        answer = client.post(path, data=data, content_type="application/json")
        return answer.status_code, time.perf_counter() - begin, Sent(path, data)


def run(aim: Range, calls: int, seed: int) -> tuple[Counter[int], float, list[str]]:
    """Send many calls; how often each status came, the longest time, and what broke the rules."""
    statuses: Counter[int] = Counter()
    longest, broken = 0.0, list[str]()
    for number in range(calls):
        status, seconds, sent = aim.shoot(number, seed)
        statuses[status] += 1
        longest = max(longest, seconds)
        if status >= 500 or seconds > LONGEST_SECONDS:
            broken.append(f"call {number} of seed {seed} to {sent.path}: {status} after {seconds:.1f} s")
    return statuses, longest, broken


def main() -> int:
    """Run, print what came, and say by the exit code whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("calls", type=int, nargs="?", default=50_000)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--shared", type=Path, help="folder of requests that others published")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        aim = Range(Path(folder), given.shared)
        statuses, longest, broken = run(aim, given.calls, given.seed)
        aim.close()
    said = [f"{given.calls} calls: {dict(sorted(statuses.items()))}, longest {longest:.2f} s", *broken[:20]]
    sys.stdout.write("\n".join(said) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
