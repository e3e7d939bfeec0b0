"""Tables of the genes as circuits: a one-hot vector times codes, which an engine computes on ciphertext.

Both sides import this package: the engine for the weights, the gateway for what codes mean. Never here: keys, people.
"""
