"""Every measure of a deployment: those that Headrace brings and those of its settings."""

from headrace.config import Config
from headrace.config_feedback import Feedback
from headrace.conversations.alert_known import known
from headrace.conversations.measures import Measure


def measures_of(config: Config) -> dict[str, Measure]:
    """By name."""
    return measures_by(config.feedback) if config.feedback else known({})


def measures_by(settings: Feedback) -> dict[str, Measure]:
    """By name, of these settings."""
    return known(settings.measures, settings.dimensions)
