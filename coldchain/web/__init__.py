"""The page: what an operations room keeps open, and the small server behind it."""
