"""Many gateways on one engine: who they are, what each may ask, how much of it, and whose turn it is."""
