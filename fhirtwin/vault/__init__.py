"""Stages 5 and 7: seal a feature vector; open what comes back and round it at once.

The only code that ever holds a secret key. Nothing here knows patients, FHIR or the network, and nothing that was
opened leaves before it is rounded.
"""

from fhirtwin.vault.asking import Asking, Keyring, asking
from fhirtwin.vault.batch import BatchVault
from fhirtwin.vault.golden import Golden
from fhirtwin.vault.keeping import Lifetime, Shelf
from fhirtwin.vault.keys import Opening
from fhirtwin.vault.network import NetworkVault
from fhirtwin.vault.polygenic import PolygenicVault
from fhirtwin.vault.sealing import sealing_key
from fhirtwin.vault.sending import Send, answered
from fhirtwin.vault.vault import Vault

__all__ = [
    "Asking",
    "BatchVault",
    "Golden",
    "Keyring",
    "Lifetime",
    "NetworkVault",
    "Opening",
    "PolygenicVault",
    "Send",
    "Shelf",
    "Vault",
    "answered",
    "asking",
    "sealing_key",
]
