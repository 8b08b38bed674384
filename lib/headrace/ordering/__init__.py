"""Order is decided by the data, never by arrival: positions, the fold of events, the guarded MERGE."""
