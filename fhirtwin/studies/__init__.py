"""What several institutions agree on before they add up: a study, its statistics, how they lie in slots and travel.

Here are no keys that open, no rows and no patients. Sites, adder and coordinator all import this package.
"""
