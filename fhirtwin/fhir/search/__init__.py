"""The search of R4 as a language: its parameters, what is asked with them and how results are cut. No database here."""
