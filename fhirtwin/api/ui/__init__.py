"""Pages for people: rendered here, without scripts, and working where there is no internet.

A page asks interactions and doors like any other caller, with the rights of who looks at it. What may not be in here:
a decision about what a caller may see, and anything that another server would have to serve.
"""
