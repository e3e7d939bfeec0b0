"""Response to antidepressants and antipsychotics, told from published effects that are added up on the logit.

Nothing here was validated on patients. `docs/pgx/response.md` says what each figure is from and what is missing.
"""
