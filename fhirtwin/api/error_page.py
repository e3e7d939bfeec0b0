"""An error for a person: who follows a link of a card in a browser reads a sentence, and not JSON.

Programs get an OperationOutcome. A browser that opens a page names HTML and XHTML in `Accept`, which no program here
does, and says that it navigates where it says anything of that: https://www.w3.org/TR/fetch-metadata/.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from http import HTTPStatus
from typing import Final

from flask import Response, request

from fhirtwin.errors import Issue

_NAMED_BY_BROWSERS: Final = ("text/html", "application/xhtml+xml")

_SIGN_IN: Final = (
    "This address is for programs that sign in, such as an electronic health record. A browser cannot do so, and so "
    "nothing is shown here."
)
_CARD: Final = (
    "If you came by a link on a card: what the card says holds without this page. The link leads to the stored result "
    "with its sources. Ask those who run your electronic health record to open it there; they know who runs this "
    "server."
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
{paragraphs}
</main>
</body>
</html>
"""


def wanted() -> bool:
    """Whether a person in a browser asked for the page at hand."""
    accepted = {wished.lower() for wished, quality in request.accept_mimetypes if quality}
    navigates = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    is_page = request.method in ("GET", "HEAD") and "_format" not in request.args
    return is_page and navigates and accepted.issuperset(_NAMED_BY_BROWSERS)


def page(status: int, issues: Sequence[Issue]) -> Response:
    """The page of an error: what happened, why, and whom to ask.

    Args:
        status: of HTTP.
        issues: as an OperationOutcome would tell them.
    """
    is_sign_in = status == HTTPStatus.UNAUTHORIZED
    title = "You are not signed in" if is_sign_in else f"This cannot be shown ({status})"
    told = " ".join(issue.text for issue in issues)
    texts = [_SIGN_IN, _CARD, f"For those who run it: {told}"] if is_sign_in else [told, _CARD]
    paragraphs = "\n".join(f"<p>{escape(text)}</p>" for text in texts)
    return Response(_PAGE.format(title=escape(title), paragraphs=paragraphs), status=status, mimetype="text/html")
