"""Calls a CDS service with a request that lies in a file, and puts what came of it into lines."""

from __future__ import annotations

import json
import re
import textwrap
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from fhirtwin.errors import Incorrect
from fhirtwin.loading import Gateway, outcome

WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered.

    Attributes:
        service: its id.
        said: the body, when it is a JSON object; else empty.
        problem: the issues in a line, when the status is not 200.
    """

    service: str
    status: int
    milliseconds: float
    said: Mapping[str, Any]
    problem: str

    @property
    def is_success(self) -> bool:
        """Whether it is an answer of CDS Hooks."""
        return self.status == HTTPStatus.OK and isinstance(self.said.get("cards"), list)

    def lines(self) -> Iterator[str]:
        """Status and cards, for people."""
        phrase = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else ""
        head = f"{self.service}: {self.status} {phrase}".rstrip() + f" in {self.milliseconds:.0f} ms"
        if not self.is_success:
            yield f"{head}. No advice was given."
            yield from _wrapped(self.problem or "The answer has no cards.", "  ")
            return
        cards = [card for card in self.said["cards"] if isinstance(card, dict)]
        yield f"{head}, {len(cards)} {'card' if len(cards) == 1 else 'cards'}."
        for card in cards:
            yield ""
            yield from _card(card)


def call(gateway: Gateway, file: Path, service: str = "") -> Answer:
    """Send the request of a file as it stands.

    Args:
        gateway: where to.
        file: JSON of a request.
        service: id; when it is empty, discovery is asked for the one that is for the request's hook.

    Raises:
        Incorrect: no service, or several, are for the hook.
        Unavailable: there is no answer.
    """
    data = file.read_bytes()
    chosen = service or _for_hook(gateway, data)
    start = time.perf_counter()

    answer = gateway.call("POST", f"/cds-services/{_segment(chosen)}", base=gateway.host, data=data, headers=_HEADERS)
    milliseconds = (time.perf_counter() - start) * 1000
    try:
        said = answer.json()
    except ValueError:
        said = {}
    problem = "" if answer.status_code == HTTPStatus.OK else outcome(answer)
    return Answer(chosen, answer.status_code, milliseconds, said if isinstance(said, dict) else {}, problem)


_HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json"}


def _segment(service: str) -> str:
    if not service.replace("-", "").replace("_", "").replace(".", "").isalnum() or set(service) == {"."}:
        raise Incorrect("--service must be the id of a CDS service, as discovery lists it.")
    return service


def _for_hook(gateway: Gateway, data: bytes) -> str:
    try:
        hook = json.loads(data)["hook"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Incorrect("The file is no request that names a hook; say which service to call with --service.") from None
    answer = gateway.call("GET", "/cds-services", base=gateway.host)
    if not answer.ok:
        raise Incorrect(f"Discovery answers {answer.status_code}: {outcome(answer)}")
    try:
        found = [each["id"] for each in answer.json()["services"] if each["hook"] == hook]
    except (ValueError, KeyError, TypeError):
        raise Incorrect(f"{gateway.host} answers, but not as a CDS Hooks server does.") from None
    if len(found) != 1:
        those = f" of {', '.join(map(str, found))}" if found else "; none is for the hook of the request"
        raise Incorrect(f"Name a service with --service{those}.")
    return str(found[0])


def _card(card: Mapping[str, Any]) -> Iterator[str]:
    yield from _wrapped(f"[{card.get('indicator', '?')}] {card.get('summary', '')}", "")
    for line in str(card.get("detail", "")).splitlines():
        yield from _wrapped(_unmarked(line), "  ") if line.strip() else [""]
    for suggestion in _objects(card, "suggestions"):
        yield from _wrapped(f"* {suggestion.get('label', '')}", "  ")
        for action in _objects(suggestion, "actions"):
            yield from _wrapped(f"- {action.get('type', '')}: {action.get('description', '')}", "    ")
    for link in _objects(card, "links"):
        yield from _wrapped(f"{link.get('label', '')}: {link.get('url', '')}", "  ")
    source = card.get("source")
    yield from _wrapped(f"Source: {source.get('label', '') if isinstance(source, dict) else ''}", "  ")


def _unmarked(text: str) -> str:
    """A line of Markdown as a terminal shows it best: without marks of bold, and escaped signs as themselves."""
    return re.sub(r"\\([^\w\s])", r"\1", re.sub(r"(?<!\\)\*\*", "", text))


def _objects(owner: Mapping[str, Any], member: str) -> list[dict[str, Any]]:
    found = owner.get(member)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _wrapped(text: str, indent: str) -> list[str]:
    """Lines of a text, without what a terminal would obey."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return textwrap.wrap(
        plain, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False
    ) or [""]
