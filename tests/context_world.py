"""Sources of a context that hold what a test says, without a store."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from headrace.config_context import Context as Settings
from headrace.context.budget import about_a_third, of_message
from headrace.context.compose import composed
from headrace.context.context import Context
from headrace.context.gather import Asked, Gap, Gathered
from headrace.context.lookup import Answer, Row
from headrace.context.profile import Profile
from headrace.context.profile_consent import shown
from headrace.context.prompt import missing, overhead
from headrace.context.retrieve import Found as Passage
from headrace.context.template import Template, load
from headrace.ports import Filters, Found
from headrace.ports_chat import ChatMessage
from unit.profiles.people import NOW

TEMPLATE = load(None)
QUESTION = "Is my flight on time?"


class Held:
    """A store of rows by key."""

    def __init__(self, rows: Mapping[str, Any]) -> None:
        self._rows = rows

    def read(self, keys: Sequence[str]) -> dict[str, Found]:
        return {key: Found(7, self._rows[key]) for key in keys if key in self._rows}

    def close(self) -> None:
        pass


def profiles_of(document: Mapping[str, Any]) -> Held:
    """A store with one profile."""
    return Held({f"p:{document['person']}": {"kind": "profile", "profile": document}})


def passage(key: str, text: str, **changes: Any) -> Passage:
    """A passage that was found."""
    given = {
        "version": 1,
        "score": 1.0,
        "words": None,
        "vector": None,
        "source": "policies",
        "document": "d",
        "age": 60.0,
    }
    return Passage(key=key, text=text, **(given | changes))


def answer(*values: Mapping[str, Any], stale: bool = False, more: bool = False, table: str = "flights") -> Answer:
    """An answer with these rows, true as of a minute ago."""
    rows = tuple(Row(f'["{n}"]', n, f"pos-{n}", None, 60.0, each) for n, each in enumerate(values, 1))
    at = (NOW - timedelta(minutes=1)).isoformat()
    return Answer(table, {"number": "LH1"}, rows, more, at, "pos-9", 60.0, stale)


def gathered(
    document: Mapping[str, Any] | None = None, answers: Sequence[Answer] = (), passages: Sequence[Passage] = (),
    gaps: Sequence[Gap] = (), purposes: Sequence[str] | None = None,
) -> Gathered:  # fmt: skip
    """What sources said."""
    profile = Profile(document["person"], 7, document) if document else None
    seen = shown(document, purposes, NOW) if document else None
    return Gathered(profile, seen, tuple(answers), tuple(passages), tuple(gaps))


def asked(question: str = QUESTION) -> Asked:
    """A question."""
    return Asked(question, "p1", Filters(), None, (), NOW)


def context(
    said: Gathered | None = None,
    conversation: Sequence[ChatMessage] = (),
    settings: Settings | None = None,
    question: str = QUESTION,
    template: Template = TEMPLATE,
) -> Context:
    """The context of what sources said."""
    said = said or Gathered()
    fixed = about_a_third(overhead(template, missing(said.gaps))) + of_message(about_a_third, question)
    return composed(asked(question), conversation, said, settings or Settings(), about_a_third, fixed)
