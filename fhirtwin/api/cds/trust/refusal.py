"""Why a token is refused: told to the security log, never to the caller."""

from __future__ import annotations


class Refusal(Exception):
    """A token that does not let in.

    Attributes:
        reason: for whoever runs the server; nothing of a token but the claims that say whose it is, shortened.
        client: registered name of the client it claims to be of; empty until that is known.
    """

    def __init__(self, reason: str, client: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.client = client


def shown(text: object) -> str:
    """Text from outside as a log may have it: in quotes, on one line, in ASCII, and not for long."""
    return ascii(text)[:160]
