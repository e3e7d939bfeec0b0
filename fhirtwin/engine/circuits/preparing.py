"""From a circuit to what evaluates it."""

from __future__ import annotations

from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.circuits.circuit import Circuit
from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.engine.circuits.batch import PreparedBatch
from fhirtwin.engine.circuits.network import NetworkRings, PreparedNetwork
from fhirtwin.engine.circuits.polygenic import PreparedPolygenic
from fhirtwin.engine.circuits.prepared import Prepared
from fhirtwin.errors import Incorrect


def prepare(circuit: Circuit, networks: NetworkRings | None = None) -> Prepared:
    """Encode the weights of a circuit.

    Args:
        circuit: of any kind that there is.
        networks: what networks share; each has its own unless told.

    Raises:
        Incorrect: there is nothing that evaluates such a circuit.
    """
    if isinstance(circuit, Batch):
        return PreparedBatch(circuit)
    if isinstance(circuit, Polygenic):
        return PreparedPolygenic(circuit)
    if isinstance(circuit, Network):
        return PreparedNetwork(circuit, networks)
    raise Incorrect("This engine does not know such a circuit.")
