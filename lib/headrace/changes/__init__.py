"""A stream of change events becomes one ordered truth."""
