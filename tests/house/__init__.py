"""House rules that a machine can check: each test names the rule and shows the place that breaks it."""
