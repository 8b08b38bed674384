"""What was said in a conversation, for the next prompt, in any store that keeps rows by key, guarded by their version.

A conversation is a ring of `SLOTS` rows, `c:CONVERSATION:SLOT`; turn n stands in slot n modulo `SLOTS`, with the
version `n * 2^20 + revision`. So a repeat is stale, a later revision wins, a later turn takes the place of one that
nobody will read any more, and all that is remembered is read by one call with known keys. Two writers that choose the
same number are told by the guard: it takes one, and the other takes the next number. A single row for the conversation
would be written whole for each turn, has to fit into DynamoDB's 400 KB, and keeps writers of different turns waiting.

Which conversations a person had stands in rows `cp:HASH:BUCKET` of a hash of their id. These are read, added to and
written with the next version; the guard takes one writer of a version and the other tries again, so that none is lost.
Such a row is written before the turn, at most once a day for each conversation.

Erased and withdrawn turns keep their place without content. What was erased takes no turn any more: its rows are
deleted with a version above all. Stores forget such deletes after `keep_deleted`, SQLite never.
"""

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from threading import Lock
from typing import TypeVar
from uuid import uuid4

from headrace.conversations import store_keys as keys
from headrace.conversations.said import Said, body, from_body
from headrace.errors import Fatal
from headrace.ports import Found, KeyedReader, Projected, Projection, Written
from headrace.ports_chat import ChatMessage

OWNER = "conversations"
"""Who claims the store; every process of the application is the same to it."""
MOST_CONVERSATIONS = 4_000
"""In one bucket of a person's index: with ids of 36 characters less than half of what DynamoDB takes."""
_TRIES = 40
_PAGE = 100

One = TypeVar("One")


class Conversations:
    """Remembers turns. One per process; threads share it, and take turns where they write.

    Args:
        rows: the store's write side; opened here.
        reader: its read side.
        keep: for how long a turn is remembered.
        now, wait: the clock, for tests.
    """

    def __init__(
        self,
        rows: Projection,
        reader: KeyedReader,
        keep: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rows, self._reader, self._keep, self._now, self._wait = rows, reader, keep, now, wait
        self._lock = Lock()
        rows.open(OWNER)

    def turns(self, conversation: str) -> list[Said]:
        """The turns that are remembered, oldest first; none that are withdrawn, regenerated or too old."""
        found = [one for one in self._all(conversation) if not one.withdrawn and one.at > self._now() - self._keep]
        regenerated = {one.regenerates for one in found}
        return [one for one in found if one.turn not in regenerated]

    def messages(self, conversation: str) -> list[ChatMessage]:
        """The same as messages, for `Assembler.assemble(conversation=...)`."""
        return [
            message
            for one in self.turns(conversation)
            for message in (ChatMessage("user", one.question), ChatMessage("assistant", one.answer))
            if message.text
        ]

    def had(self, conversation: str, turn: int | None) -> bool:
        """Whether there was such a turn, which is not withdrawn; also one before those that are remembered.

        Args:
            turn: None for any.
        """
        if not self.turns(conversation):
            return False
        withdrawn = {one.turn: one.withdrawn for one in self._all(conversation)}
        return turn is None or (1 <= turn <= max(withdrawn) and not withdrawn.get(turn))

    def next_turn(self, conversation: str) -> int:
        """The number that the next turn gets unless another one comes first."""
        return max((one.turn for one in self._all(conversation)), default=0) + 1

    def add(
        self,
        conversation: str,
        question: str,
        answer: str,
        at: datetime,
        *,
        person: str | None = None,
        regenerates: int | None = None,
        asked: str | None = None,
    ) -> int:
        """Remember a turn; its number.

        Args:
            asked: an id of this asking, for a caller that tries again after an error: it is then remembered once.

        Raises:
            Fatal: the conversation was erased, or is over: nobody said anything for so long that it was removed.
            Retryable: the store is away, or too many write into this conversation.
        """
        asked = asked or uuid4().hex
        if person is not None:
            self._note(person, conversation)
        for _ in range(_TRIES):
            held = self._all(conversation)
            if again := next((one.turn for one in held if one.asked == asked), None):
                return again
            number = max((one.turn for one in held), default=0) + 1
            if self.put(Said(conversation, number, at, question, answer, person, regenerates, asked=asked)):
                return number
            if not any(one.turn >= number or one.asked == asked for one in self._all(conversation)):
                raise keys.over(conversation)
        raise keys.busy("conversation")

    def put(self, said: Said) -> bool:
        """Write this revision of a turn; whether it is the newest there is. A repeat is not."""
        return self._written(Projected(keys.slot(said.conversation, said.turn), keys.version(said), False, body(said)))

    def withdraw(self, conversation: str, turn: int) -> bool:
        """Forget what was said in a turn, whose number stays taken; whether it was remembered."""
        held = next((one for one in self._all(conversation) if one.turn == turn), None)
        if held is None or held.withdrawn:
            return False
        return self.put(
            Said(conversation, turn, held.at, "", "", None, held.regenerates, held.revision + 1, True, held.asked)
        )

    def erase(self, conversations: Collection[str]) -> None:
        """Forget these conversations. No late turn brings one back."""
        gone = [Projected(key, keys.ABOVE_ALL, True, None) for one in conversations for key in keys.slots(one)]
        for some in _some(gone, _PAGE):
            self._write(some)

    def erase_person(self, people: Collection[str]) -> int:
        """Forget every conversation that these ids took part in; how many. A person may have earlier ids too."""
        count = 0
        for key in (key for person in people for key in keys.index(person)):
            for _ in range(_TRIES):
                version, listed = self._listed(key)
                if not listed:
                    break
                self.erase(listed)
                if self._written(Projected(key, version + 1, False, {"kind": "conversations", "last": {}})):
                    count += len(listed)
                    break
                self._pause()
            else:
                raise keys.busy("index of a person")
        return count

    def expire(self) -> int:
        """Delete what is older than `keep`, from the whole store; how many rows. For a job that runs now and then."""
        living = (one.key for one in self._rows.held() if not one.deleted and one.key.startswith("c:"))
        return sum(self._remove_old(names) for names in _some(living, _PAGE))

    def _remove_old(self, names: Sequence[str]) -> int:
        oldest = self._now() - self._keep
        old = [
            Projected(key, found.version + 1, True, None)
            for key, found in self._reader.read(names).items()
            if from_body(found.body).at <= oldest
        ]
        return self._write(old).applied

    def close(self) -> None:
        """Close the store's both sides."""
        self._reader.close()
        self._rows.close()

    def _all(self, conversation: str) -> list[Said]:
        found = self._reader.read(list(keys.slots(conversation))).values()
        return sorted((from_body(one.body) for one in found), key=lambda one: one.turn)

    def _note(self, person: str, conversation: str) -> None:
        """List the conversation among the person's."""
        digest = sha256(conversation.encode("utf-8", "surrogatepass")).digest()
        key, today = keys.index(person)[digest[0] % keys.BUCKETS], self._now().date().isoformat()
        oldest = (self._now() - self._keep - timedelta(days=1)).date().isoformat()
        for _ in range(_TRIES):
            version, listed = self._listed(key)
            if listed.get(conversation) == today:
                return
            # What leaves the index could not be found for erasure any more.
            for one in (one for one, day in listed.items() if day < oldest):
                self._remove_old(list(keys.slots(one)))
            kept = {one: day for one, day in listed.items() if day >= oldest} | {conversation: today}
            if len(kept) > MOST_CONVERSATIONS:
                todo = "Erase this person's conversations, or keep them for a shorter time."
                raise Fatal(expected=f"at most {keys.BUCKETS * MOST_CONVERSATIONS} conversations of a person",
                            found="more", todo=todo, where="conversation store")  # fmt: skip
            if self._written(Projected(key, version + 1, False, {"kind": "conversations", "last": kept})):
                return
            self._pause()
        raise keys.busy("index of a person")

    def _listed(self, key: str) -> tuple[int, Mapping[str, str]]:
        found = self._reader.read([key]).get(key, Found(0, {"last": {}}))
        return found.version, found.body["last"]

    def _written(self, row: Projected) -> bool:
        return self._write([row]).applied == 1

    def _write(self, rows: Sequence[Projected]) -> Written:
        with self._lock:
            written = self._rows.write(rows)
        for one in written.failed:
            raise keys.failed(one.reason, one.retry)
        return written

    def _pause(self) -> None:
        self._wait(random.uniform(0, 0.02))


def _some(all_of_them: Iterable[One], at_once: int) -> Iterator[list[One]]:
    rest = iter(all_of_them)
    while some := list(islice(rest, at_once)):
        yield some
