"""A model's stream, read in a thread of its own so that a wait for it can end whatever the model does."""

import queue
import threading

from headrace.errors import Retryable
from headrace.ports_chat import ChatEnd, ChatModel, ChatRequest


class TimedOut(Retryable):
    """A model did not say its next piece in time."""


class Reading:
    """One call of a model. It begins at once."""

    def __init__(self, model: ChatModel, request: ChatRequest) -> None:
        self._name = model.name
        self._came: queue.SimpleQueue[str | ChatEnd | Exception] = queue.SimpleQueue()
        self._given_up = threading.Event()
        thread = threading.Thread(target=self._read, args=(model, request), name="headrace-answer", daemon=True)
        thread.start()

    def next(self, seconds: float) -> str | ChatEnd:
        """What comes next.

        Raises:
            TimedOut: nothing came in so many seconds.
            Retryable: the stream stopped without an end.
            Exception: whatever the model raised.
        """
        try:
            if seconds <= 0:  # also where a piece is there: a model that never stops has always one
                raise queue.Empty
            got = self._came.get(timeout=seconds)
        except queue.Empty:
            todo = "See `assistant.answers.first_piece` and `timeout`; the model or its service is slow."
            raise TimedOut(where=self._name, expected="a piece in time", found="silence", todo=todo) from None
        if isinstance(got, Exception):
            raise got
        return got

    def leave(self) -> None:
        """Nobody waits any more: the thread ends at the next piece, or when the connection is given up."""
        self._given_up.set()

    def _read(self, model: ChatModel, request: ChatRequest) -> None:
        try:
            stream = model.stream(request)
            try:
                for one in stream:
                    self._came.put(one)
                    if self._given_up.is_set() or isinstance(one, ChatEnd):
                        return
            finally:
                getattr(stream, "close", lambda: None)()
            todo = "It is tried again; a store that streams answers must end them with a ChatEnd."
            raise Retryable(where=self._name, expected="an end of the answer", found="none", todo=todo)
        except Exception as error:
            self._came.put(error)
