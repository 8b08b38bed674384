"""Context at prompt time: who asks, what is true now, what documents say and what was said before, in one budget."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from headrace.config_context import Context as Settings
from headrace.context.asks import Ask
from headrace.context.budget import Counter, about_a_third, of_message
from headrace.context.compose import composed
from headrace.context.context import Context
from headrace.context.gather import Asked, Sources
from headrace.context.profile_consent import with_zone
from headrace.context.prompt import missing, overhead
from headrace.context.template import Template, load
from headrace.context.turns import plain
from headrace.errors import ConfigError, Fatal
from headrace.ports import Filters
from headrace.ports_chat import ChatMessage

LEAST = 200
"""Tokens that a template must leave."""


def fitting(settings: Settings, count: Counter = about_a_third) -> Template:
    """The template of the settings. Raises ConfigError: it cannot be used, or leaves no room."""
    template = load(settings.template)
    taken = count(overhead(template, ()))
    if taken > settings.tokens - LEAST:
        todo = "Shorten the template, or raise tokens."
        expected = f"a template of at most {settings.tokens - LEAST} tokens"
        raise ConfigError(expected=expected, found=str(taken), todo=todo, where="assistant.context.template")
    return template


class Assembler:
    """Makes contexts. One per process; threads may share it.

    Args:
        sources: what may be asked.
        count: tokens of a text; a third of its bytes where not given.

    Raises:
        ConfigError: the template cannot be used, or leaves no room.
    """

    def __init__(self, settings: Settings, sources: Sources, count: Counter = about_a_third) -> None:
        self._settings, self._sources, self._count = settings, sources, count
        self.template: Template = fitting(settings, count)

    def assemble(
        self,
        question: str,
        person: str | None = None,
        conversation: Sequence[ChatMessage] = (),
        *,
        filters: Filters | None = None,
        purposes: Collection[str] | None = None,
        rows: Sequence[Ask] = (),
        now: datetime | None = None,
    ) -> Context:
        """The context of a question. A source that fails or is late is told in `gaps`.

        Args:
            person: the id of who asks, as the application has made sure of it; None for nobody known.
            conversation: earlier messages, oldest first.
            filters: whose passages may be found; without, only those that anybody may read.
            purposes: what the profile is used for; None for all that the person agreed to.
            rows: look-ups besides those that question and profile lead to.
            now: what ages are counted to and consent must hold at; the present where not given.

        Raises:
            Fatal: no question, one that is too long, or a moment without a zone.
        """
        moment = with_zone(now or datetime.now(UTC))
        shown = self._checked(question)
        asked = Asked(shown, person, filters or Filters(), purposes, tuple(rows), moment)
        gathered = self._sources.gather(asked, self._settings)
        fixed = self._fixed(shown, missing(gathered.gaps))
        if fixed > self._settings.tokens:
            raise _too_long(f"one that leaves {self._settings.tokens} tokens to the prompt", f"{fixed} tokens")
        return composed(asked, conversation, gathered, self._settings, self._count, fixed)

    def _checked(self, question: str) -> str:
        if len(question) > self._settings.question_characters:
            raise _too_long(f"at most {self._settings.question_characters} characters", str(len(question)))
        shown = plain(question)
        if not shown:
            raise Fatal(expected="a question", found="none", todo="Send one.", where="question")
        return shown

    def _fixed(self, question: str, gaps: Sequence[str]) -> int:
        return self._count(overhead(self.template, gaps)) + of_message(self._count, question)


def _too_long(expected: str, found: str) -> Fatal:
    return Fatal(expected=expected, found=found, todo="Ask a shorter question.", where="question")
