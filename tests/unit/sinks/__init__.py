"""Sinks, without a server: what is sent, in what order, and what becomes of it when the other side fails."""
