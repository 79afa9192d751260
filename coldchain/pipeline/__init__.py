"""The pipeline: the only writer. Intake, fold, commit, acknowledge, in that order."""
