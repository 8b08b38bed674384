"""What `headrace check` tries of the assistant's side: whether a template of the settings' own fits its budget."""

from collections.abc import Callable, Iterator

from headrace.config import Config
from headrace.context.assemble import fitting

Trial = tuple[str, Callable[[], str]]


def trials(config: Config) -> Iterator[Trial]:
    """The template, where the settings say anything of it or of its room."""
    if {"template", "tokens"} & config.assistant.context.model_fields_set:
        yield "assistant: template", lambda: _template(config)


def _template(config: Config) -> str:
    settings = config.assistant.context
    version = fitting(settings).version
    return f"{settings.template or 'that of Headrace'} ({version}) leaves room in {settings.tokens:,} tokens"
