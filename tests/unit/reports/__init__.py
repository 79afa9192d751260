"""The replay report: figures, verdict, JSON and terminal."""
