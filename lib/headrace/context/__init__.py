"""What an application asks when it builds a prompt. Plain Python: a web process has no Spark."""
