"""What the notebooks call: each has its own file here, and so no logic in its cells."""
