"""Public failures of other systems, each as a story that must not happen here.

Every story is told twice: to this engine, where it ends well, and to a variant of it with the named
fault put in by hand, where the same check must fail. A check that cannot fail teaches nothing.
"""
