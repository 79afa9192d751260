"""Commands: each thin, with an example in its help; what they do lives in the rooms below."""
