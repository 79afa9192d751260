"""Expectations that we did not write ourselves: published texts and studies, other people's arithmetic."""
