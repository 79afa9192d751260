"""Cold-chain monitor for cell-therapy logistics: the daemon, its rules, its journal and its page."""

__version__ = "0.1.0"
