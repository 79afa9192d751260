"""Rules know numbers: each judges a series of samples against one limit of the plan."""
