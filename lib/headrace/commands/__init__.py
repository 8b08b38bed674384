"""One file per verb of the command line.

Each has `arguments(parser)`, which adds its options, and `run(args) -> int`, which does the work and returns the exit
code. `cli.py` imports only the file of the verb that was typed.
"""
