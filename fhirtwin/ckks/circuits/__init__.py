"""Circuits beside the panel: batches, trajectories, polygenic sums and networks, as vault and engine both know them.

Each says what it takes before anything is sealed: its profile, bounds, error and cost, and refuses models it could not
evaluate within them. Here are no keys and no patients.
"""
