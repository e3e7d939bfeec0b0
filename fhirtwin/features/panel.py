"""Lays the feature vectors of one patient into the one vector that is sealed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fhirtwin.ckks.layout import AnyPanel
from fhirtwin.errors import Fault
from fhirtwin.predictors.model import FeatureVector


def panel_values(vectors: Iterable[FeatureVector], panel: AnyPanel) -> NDArray[np.float64]:
    """Give every feature of the panel its value; features of predictors that are not among the vectors are 0.

    Args:
        vectors: at most one for each predictor, all of one patient and one day.
        panel: which features there are, in which order, within which bounds.

    Returns:
        Shape (features,), finite, within the panel's bounds.

    Raises:
        Fault: a feature that the panel does not have, twice the same, or out of bounds. A value outside could wrap
            round under encryption, so it is never sealed.
    """
    place = {name: column for column, name in enumerate(panel.features)}
    values = np.zeros(len(place))
    seen: set[str] = set()
    for vector in vectors:
        for feature, value in vector.features.items():
            name = f"{vector.predictor.id}:{feature}"
            if name not in place or name in seen:
                raise Fault(f"Feature {name} does not fit the panel.")
            column = place[name]
            if not panel.low[column] <= value <= panel.high[column]:
                raise Fault(f"Feature {name} is outside its declared range.")
            values[column] = value
            seen.add(name)
    return values
