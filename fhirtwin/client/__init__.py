"""For a device or a notebook that holds the key itself: seals here, has a gateway pass it on, opens here.

Never here: anything that sends a key, a fact or an opened number. The gateway gets ciphertext and nothing else of the
record.
"""

from fhirtwin.client.my_twin import MyTwin

__all__ = ["MyTwin"]
