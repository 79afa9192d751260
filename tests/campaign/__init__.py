"""The fault campaign: faults that really happen, each tried many times, and the same audit after each.

`python -m tests.campaign [NAME …] [--seed N] [--size short|full]` prints one table. A fault is a function
from a seed and a size to an `Outcome`; `faults.py` lists them. `make test` runs each in its short size.
"""
