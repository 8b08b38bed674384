"""Wiring: hands stores and a Spark session to the flows and starts the jobs."""
