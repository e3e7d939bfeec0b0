"""The one way out over HTTP: to servers on a list, at addresses that were judged, and nowhere else.

Nothing else in the gateway opens a connection to an address that a caller can name. What may not be in here: a decision
about who may ask for what, and anything that knows FHIR.
"""

from fhirtwin.outbound.outbound import Fetched, Outbound
from fhirtwin.outbound.places import Allowed

__all__ = ["Allowed", "Fetched", "Outbound"]
