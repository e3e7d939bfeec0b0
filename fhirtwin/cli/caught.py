"""What follows when a command finds that an engine answers wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fhirtwin.errors import EngineAnswerWrong

if TYPE_CHECKING:
    from fhirtwin.settings import Settings

IMPOSED: Final = (
    "The engine is in quarantine: the gateway of this folder asks it no more, and withdraws what it stored since the "
    "last right answer, until an administrator has found the cause and run `fhirtwin quarantine lift`."
)
ADVICE: Final = "Keep a gateway from asking it with `fhirtwin quarantine impose` until the cause is known."


@contextmanager
def quarantining(gateway: Settings | None, url: str, model_hash: str, *, advice: str = "") -> Iterator[None]:
    """Ask an engine in the block, and quarantine it when its answer is wrong and it is the one that a gateway uses.

    Args:
        gateway: what its data folder and the environment say, without what the command line names; None for no folder.
        url: of the engine that is asked.
        model_hash: of the model.
        advice: what is told besides when it is not, or cannot be written.

    Raises:
        EngineAnswerWrong: its answer is wrong; the text says what was done.
    """
    try:
        yield
    except EngineAnswerWrong as error:
        done = gateway is not None and _is_asked_by(gateway, url) and _imposed(gateway, model_hash)
        raise EngineAnswerWrong(f"{error} {IMPOSED if done else advice}".rstrip()) from None


def _is_asked_by(gateway: Settings, url: str) -> bool:
    """One that the gateway starts beside itself has an address of its own each time, and is not known here."""
    return gateway.has_database and bool(url) and gateway.engine_url.rstrip("/") == url.rstrip("/")


def _imposed(gateway: Settings, model_hash: str) -> bool:
    from fhirtwin import quarantine
    from fhirtwin.store import Store

    store = Store.open(gateway)
    try:
        return quarantine.of_gateway(gateway, store).found_wrong(model_hash)
    finally:
        store.close()
