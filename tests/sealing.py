"""What somebody who holds the key sends to a gateway, and the panel that it is sealed for."""

from __future__ import annotations

import base64
from typing import Any

from fhirtwin.ckks.sealed import SealedFeatures
from fhirtwin.predictors import registry

PANEL = registry.panel(registry.all_predictors())
Json = dict[str, Any]


def parameters(features: SealedFeatures, **changes: Json | None) -> Json:
    given = {
        "profile": {"valueCode": features.profile},
        "panel": {"valueString": features.panel_digest},
        "request": {"valueString": features.request_id.hex()},
        "vector": {"valueBase64Binary": base64.b64encode(features.sealed_vector).decode()},
        **changes,
    }
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, **value} for name, value in given.items() if value is not None],
    }
