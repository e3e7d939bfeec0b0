"""Stage 8: scores and refusals become RiskAssessments, Provenances and CDS cards.

Here is no store, no clock, no key and no web framework: what is known goes in, a resource or a card comes out.
Nothing in this package reads a score from anywhere but a `Result`, and every text says how the score was computed.
"""
