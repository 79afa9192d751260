"""Measurements: what the program costs beside the least that could do the same work.

`python -m benchmarks` runs them all, `python -m benchmarks day --hours 24` one of them. Each figure is the
median of several runs; what counts is its ratio to a stated baseline that ran in turn with it, since machines
differ and are shared. Every run is a process of its own, so that one's memory is not another's.
docs/performance.md says what was found.
"""
