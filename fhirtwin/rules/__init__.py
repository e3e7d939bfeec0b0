"""Orders against the twin: pure knowledge. What is ordered and what is known of a patient come in, findings come out.

No resource, no card, no clock and no database: the day, the orders and the twin are handed in.
"""
