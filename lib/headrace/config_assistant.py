"""Settings of the assistant's side."""

from headrace.config_base import Settings
from headrace.config_context import Context


class Assistant(Settings):
    """What an application asks for when it answers people.

    Attributes:
        context: what goes into a prompt.
    """

    context: Context = Context()
