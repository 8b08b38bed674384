"""Every measure of a deployment: those that Headrace brings and those of its settings."""

from headrace.config import Config
from headrace.conversations.alert_known import known
from headrace.conversations.measures import Measure


def measures_of(config: Config) -> dict[str, Measure]:
    """By name."""
    return known(config.feedback.measures if config.feedback else {})
