"""Where announcements and readings go: time-series databases, boards, people.

`base.py` says what a sink is, `thread.py` gives each its own thread, the drains bring the journal to it.
"""
