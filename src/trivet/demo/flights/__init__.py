"""The flights project, as a user would write one: features, contracts and a pipeline."""
