"""Many patients at once: lines or a store in, a row a patient out, through the batch circuit of an engine.

What is here reads, deals out and writes; what seals and opens is `fhirtwin.assess_cohort`. Nothing here decides what a
record means, and nothing is left out without a line that says why.
"""
