"""Asks one model that came as a package, whatever its kind, for numbers that somebody has: sealed, evaluated, opened.

No twin and no store stand behind it: who asks gives all inputs and answers for whose they are. What is out of the range
of the model, missing or ruled out is refused in words; nothing is assumed.
"""

from fhirtwin.asking.answer import Answer
from fhirtwin.asking.asked import LONGEST_VALUES, of_values, of_vcf, read_values

__all__ = ["LONGEST_VALUES", "Answer", "of_values", "of_vcf", "read_values"]
