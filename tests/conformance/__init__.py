"""The conformance suite of stores, run on those that need no server."""
