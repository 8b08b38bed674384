"""Turns and ratings: as events, and as the conversation that a prompt remembers. No Spark."""
