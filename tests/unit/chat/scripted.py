"""A model that does as its script says: one list of steps for each call."""

import threading
from collections.abc import Iterator
from typing import Any

from headrace.ports_chat import Answerer, ChatEnd, ChatRequest

HANGS = object()
"""A step that never ends, until the test does."""


class Scripted:
    """Says texts and ends, raises errors, hangs. `left` is set when a stream of it was given up or ended."""

    def __init__(self, name: str, *calls: list[Any]) -> None:
        self.name, self._calls = name, list(calls)
        self.asked: list[ChatRequest] = []
        self.over = threading.Event()
        self.left = threading.Event()

    def stream(self, request: ChatRequest) -> Iterator[str | ChatEnd]:
        self.asked.append(request)
        try:
            for step in self._calls[len(self.asked) - 1]:
                if step is HANGS:
                    self.over.wait(20)
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        finally:
            self.left.set()

    def close(self) -> None:
        self.over.set()


def told(*models: Scripted, **more: Any) -> list[Answerer]:
    return [Answerer(f"provider of {one.name}", one, **more) for one in models]
