"""Elements cut out of a document, each with the namespace declarations that it had from around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhirtwin.fhir.xml.document import end_of_name, end_of_tag

MAX_SPACES: Final = 16
"""Most prefixes that one document declares; FHIR has need of two."""
MAX_SPACE_LENGTH: Final = 256
"""Longest prefix and namespace together. Many pieces repeat them, so they must not be what a body consists of."""


class Spaces:
    """The namespaces in force while a document is read."""

    def __init__(self) -> None:
        self._declared: dict[str, list[str]] = {}
        self._force: Mapping[str, str] | None = None

    def open(self, prefix: str, space: str) -> None:
        """Note that a declaration begins to hold.

        Raises:
            ValueError: it is one too many, or too long.
        """
        declared = self._declared.setdefault(prefix, [])
        if len(self._declared) > MAX_SPACES or len(prefix) + len(space) > MAX_SPACE_LENGTH:
            raise ValueError(
                f"A resource may declare {MAX_SPACES} prefixes, of {MAX_SPACE_LENGTH} characters with namespace."
            )
        declared.append(space)
        self._force = None

    def close(self, prefix: str) -> None:
        """Note that the last declaration of a prefix ends to hold."""
        self._declared[prefix].pop()
        self._force = None

    def in_force(self) -> Mapping[str, str]:
        """The namespaces by prefix; one mapping as long as nothing changes, since many pieces share it."""
        if self._force is None:
            self._force = {prefix: declared[-1] for prefix, declared in self._declared.items() if declared}
        return self._force


@dataclass(frozen=True, slots=True)
class Piece:
    """An element inside a document.

    Attributes:
        start: its first byte.
        end: the byte behind its last.
        spaces: the namespaces in force there by prefix, the default one by the empty prefix.
    """

    start: int
    end: int
    spaces: Mapping[str, str]

    def cut(self, document: bytes) -> bytes:
        """The element by itself, with the declarations that it had from outside."""
        return declared(document[self.start : self.end], self.spaces)


def declared(data: bytes, spaces: Mapping[str, str]) -> bytes:
    """Write namespace declarations into the first tag of a piece of XML.

    Args:
        data: begins with a tag.
        spaces: namespaces by prefix; a prefix that the tag declares stays as is.
    """
    tag, place = data[: end_of_tag(data, 0)], end_of_name(data, 0)
    texts = [
        f' {name}="{space.replace("&", "&amp;").replace("<", "&lt;").replace(chr(34), "&quot;")}"'
        for name, space in ((f"xmlns:{prefix}" if prefix else "xmlns", space) for prefix, space in spaces.items())
        if not re.search(rb"[ \t\r\n]" + re.escape(name.encode()) + rb"[ \t\r\n]*=", tag)
    ]
    return data[:place] + "".join(texts).encode() + data[place:]
