"""What all forms share: how strictly they are read, and what a name, a text and a number may be."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

_WORDS = r"^(?!.*\]\s*[(\[:])[^\x00-\x1f\x7f-\x9f<>`\\\u2028-\u202e\u2066-\u2069\ufeff]+\Z"
"""No control or direction characters, and nothing that Markdown or HTML would make something of."""

_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*\Z"
Name = Annotated[str, Meta(pattern=_NAME, max_length=64)]
VERSION: Final = r"^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){0,3}\Z"
Version = Annotated[str, Meta(pattern=VERSION)]
_HASH = r"^[0-9a-f]{64}\Z"
Hash = Annotated[str, Meta(pattern=_HASH)]
Words = Annotated[str, Meta(pattern=_WORDS, min_length=1, max_length=300)]
_CODE = r"^[^\s<>]+\Z"
Code = Annotated[str, Meta(pattern=_CODE, max_length=200)]
Number = Annotated[float, Meta(ge=-1e9, le=1e9)]

PATTERNS: Final = {
    _WORDS: "words: without control characters, < > ` and \\, and without what Markdown would make a link of",
    _NAME: "a name in small letters, digits and single hyphens between them",
    VERSION: "a version: up to four numbers with points between, as 1.4.2",
    _HASH: "64 hexadecimal digits in small letters",
    _CODE: "a code without spaces, < and >",
}
"""What texts must be, in words."""


class Form(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is read: no member that is not declared, and what has its default is not written."""
