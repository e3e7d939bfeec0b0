"""Risks of the person who holds the record and the key: everything but the weighted sum is done here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from fhirtwin.assess import Assessment, Assessor
from fhirtwin.client.record import twin_of
from fhirtwin.client.road import SealedRoad
from fhirtwin.predictors import registry
from fhirtwin.settings import Settings
from fhirtwin.vault import Vault


class MyTwin:
    """The sealed road with the vault at its holder's: a fresh key a request, never stored, never sent.

    Args:
        road: to the engine.
        settings: how old a value may be, and what links depend on; a gateway's do not count here.
    """

    def __init__(self, road: SealedRoad, settings: Settings | None = None) -> None:
        predictors = registry.all_predictors()
        panel = registry.panel(predictors)
        # The masked mode alone: in any other, keys would have to be sent.
        vault = Vault(panel, mode="masked")
        self._assessor = Assessor(predictors, panel, vault, road.evaluate, settings or Settings(), opener="its holder")

    def assess(self, record: Mapping[str, Any], *, whole: bool = False, as_of: date | None = None) -> Assessment:
        """Calculate what can be calculated of a record, and say why the rest cannot.

        Args:
            record: a Bundle of one patient (`fhirtwin.client.record.twin_of`). Nothing of it is sent anywhere.
            whole: whether it holds all that there is of this patient.
            as_of: the day the risks are stated for; today when None.

        Raises:
            Incorrect, Unprocessable: the record is not usable.
            KeyWanted: the gateway asks for more than a sealed vector.
            Unavailable: the gateway or the engine does not answer, or refuses.
            EngineAnswerRefused: the answer failed a check; nothing was calculated from it.
        """
        return self._assessor.assess(twin_of(record, whole=whole), as_of or datetime.now(UTC).date())
