"""Asking and rating: the same for the page and the API."""

import logging
import re
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import BoundedSemaphore
from uuid import uuid4

from headrace.context.answer import Answering, answer
from headrace.context.answered import Answer
from headrace.context.context import Context
from headrace.context.profile import Profile
from headrace.context.profile_consent import shown
from headrace.context.prompt import request
from headrace.conversations.events import Kind, Rating, checked
from headrace.conversations.said import Said
from headrace.conversations.turn_event import turn_event, unremembered
from headrace.errors import HeadraceError, NotThere
from headrace.ports import Filters
from headrace.web.people import one_person
from headrace.web.readers import Who
from headrace.web.refused import Refused, not_there, not_yours, too_many
from headrace.web.world import Assistant, World

CHANNEL = "web"
_BUSY_SECONDS = 2
_log = logging.getLogger("headrace")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `customer`: somebody else's profile, for those who may read it."""

    question: str
    conversation: str | None = None
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class Rated:
    """What somebody thinks.

    Attributes:
        turn: None for the whole conversation.
        withdrawn: what was sent before is taken back.
    """

    conversation: str
    turn: int | None
    kind: Kind
    value: float | None = None
    text: str | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An answer. `turn`: its number, for ratings; None where it could not be remembered."""

    answer: Answer
    context: Context
    conversation: str
    turn: int | None


class Talk:
    """Answers questions, so many at once.

    Args:
        at_once: more are refused for a moment.
    """

    def __init__(self, world: World, at_once: int) -> None:
        self._world, self._room = world, BoundedSemaphore(at_once)

    def context(self, who: Who, asked: Asked) -> Context:
        """What an answer would be made from."""
        with_whom = self._customer(who, asked)
        assistant = self._world.assistant()
        return self._assembled(assistant, who, asked, with_whom, self._conversation(assistant, who, asked, with_whom))

    def ask(self, who: Who, asked: Asked) -> "Running":
        """Begin an answer. Raises Refused and HeadraceError; not for a model's failure."""
        if not self._room.acquire(blocking=False):
            raise too_many(_BUSY_SECONDS)
        try:
            customer = self._customer(who, asked)
            assistant = self._world.assistant()
            conversation = self._conversation(assistant, who, asked, customer)
            context = self._assembled(assistant, who, asked, customer, conversation)
            granted = shown(customer.document, None, context.now).granted if customer else ()
            return Running(self._world, assistant, who, context, conversation, granted, self._room.release)
        except BaseException:
            self._room.release()
            raise

    def earlier(self, who: Who, conversation: str | None) -> list[Said]:
        """What was said in a conversation of this reader."""
        if conversation is None:
            return []
        own(who, conversation)
        remembered = self._world.assistant().remembered
        return remembered.turns(conversation) if remembered else []

    def rate(self, who: Who, given: Rated) -> str:
        """Send a rating; its id.

        Raises:
            Refused: it is of a turn or a conversation that this reader did not have, the settings name no stream of
                events, or it could not be kept.
            WrongEvent: it is none.
        """
        assistant = self._world.assistant()
        own(who, given.conversation)
        if assistant.sink is None:
            raise Refused(409, "The settings name no stream for ratings.")
        if assistant.remembered and not assistant.remembered.had(given.conversation, given.turn):
            raise not_there("turn")
        rating = Rating(
            given.conversation, given.turn, self._world.now(), "person", given.kind, given.value, given.text,
            rater=who.name, withdrawn=given.withdrawn,
        )  # fmt: skip
        checked(rating.to_json())
        if not assistant.sink.send(rating.to_json()):
            raise Refused(503, "The rating could not be kept. Send it again later.", {"Retry-After": "5"})
        return rating.rating_id

    def _customer(self, who: Who, asked: Asked) -> Profile | None:
        """Whose profile takes part."""
        world, named = self._world, asked.customer
        if named and "person" not in who.sight.pages and named != who.sight.person:
            raise not_yours("see this person")
        if not named and who.sight.person is None:
            return None
        if not world.has_people:
            raise (
                not_there("person")
                if named
                else NotThere(
                    where="web", expected="a store of profiles", found="none", todo="Add one, or take `person` out."
                )
            )
        profile = one_person(world, who, named or str(who.sight.person))
        world.audit.read(world.now(), who.name, profile.person, "profile in an answer")
        return profile

    def _conversation(self, assistant: Assistant, who: Who, asked: Asked, customer: Profile | None) -> str:
        """The conversation to go on with: a new one where none is named, or where it was about somebody else."""
        if asked.conversation is None:
            return new(who)
        own(who, asked.conversation)
        said = assistant.remembered.turns(asked.conversation) if assistant.remembered else []
        person = customer.person if customer else None
        return new(who) if any(one.person != person for one in said) else asked.conversation

    def _assembled(
        self, assistant: Assistant, who: Who, asked: Asked, customer: Profile | None, conversation: str
    ) -> Context:
        before = assistant.remembered.messages(conversation) if assistant.remembered else []
        filters = Filters(who.sight.tenant, who.sight.audience)
        person = customer.person if customer else None
        return assistant.assembler.assemble(asked.question, person, before, filters=filters, now=self._world.now())


class Running:
    """An answer under way: its pieces, then `finish`. `finish` may be called at any time and ends it."""

    def __init__(
        self,
        world: World,
        assistant: Assistant,
        who: Who,
        context: Context,
        conversation: str,
        granted: tuple[str, ...],
        release: Callable[[], None],
    ) -> None:
        self.context, self.conversation = context, conversation
        self._world, self._assistant, self._who, self._granted = world, assistant, who, granted
        remembered = assistant.remembered
        turn = remembered.next_turn(conversation) if remembered else 1
        metadata = {"conversation": conversation, "turn": str(turn)}
        asked = request(context, assistant.assembler.template, metadata=metadata)
        self._answering: Answering = answer(assistant.models, asked, world.config.assistant.answers)
        self._told: Told | None = None
        # Once, and also where the reader left before the first piece and nobody calls `finish`.
        self._release = weakref.finalize(self, release)

    def __iter__(self) -> Iterator[str]:
        return self._answering

    def finish(self) -> Told:
        """The record, kept once. What nobody has read by then is not waited for."""
        if self._told is None:
            self._answering.stop()
            try:
                self._told = self._kept(self._answering.answer)
            finally:
                self._release()
        return self._told

    def _kept(self, said: Answer) -> Told:
        turn = None
        try:
            turn = self._remembered(said)
        except HeadraceError as error:
            _log.warning("a turn was not remembered: %s", error)
        events = self._world.config.assistant.events
        if self._assistant.sink and events:
            event = turn_event(
                said, self.context, self.conversation, turn or 1, prompt=self._assistant.assembler.template.version,
                tenant=self._who.sight.tenant, channel=CHANNEL, purposes=self._granted, texts=events.texts,
            )  # fmt: skip
            self._assistant.sink.send((event if turn else unremembered(event)).to_json())
        return Told(said, self.context, self.conversation, turn)

    def _remembered(self, said: Answer) -> int:
        remembered, context = self._assistant.remembered, self.context
        if remembered is None:
            return 1
        text = said.text if said.outcome in ("answered", "refused") else ""
        return remembered.add(self.conversation, context.question, text, said.started_at, person=context.person)


def new(who: Who) -> str:
    """The id of a conversation that only this reader goes on with."""
    return f"{who.name}-{uuid4().hex}"


def own(who: Who, conversation: str) -> None:
    """Raises Refused for a conversation of somebody else, or none."""
    if not re.fullmatch(rf"{re.escape(who.name)}-[0-9a-f]{{32}}", conversation):
        raise not_there("conversation")
