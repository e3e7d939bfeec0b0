"""Reads a call: its members, the context by the table of hooks, leniencies, what must be fetched. No answer is here."""
