"""From a circuit to what evaluates it."""

from __future__ import annotations

from fhirtwin.ckks.circuits.batch import Batch
from fhirtwin.ckks.circuits.circuit import Circuit
from fhirtwin.ckks.circuits.network import Network
from fhirtwin.ckks.circuits.polygenic import Polygenic
from fhirtwin.engine.circuits.batch import PreparedBatch
from fhirtwin.engine.circuits.network import PreparedNetwork
from fhirtwin.engine.circuits.polygenic import PreparedPolygenic
from fhirtwin.engine.circuits.prepared import Prepared
from fhirtwin.errors import Incorrect


def prepare(circuit: Circuit) -> Prepared:
    """Encode the weights of a circuit.

    Raises:
        Incorrect: there is nothing that evaluates such a circuit.
    """
    if isinstance(circuit, Batch):
        return PreparedBatch(circuit)
    if isinstance(circuit, Polygenic):
        return PreparedPolygenic(circuit)
    if isinstance(circuit, Network):
        return PreparedNetwork(circuit)
    raise Incorrect("This engine does not know such a circuit.")
