"""OpenAI's answer as pieces: server-sent events, or one JSON object from a server that does not stream."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from headrace.errors import HeadraceError, Retryable
from headrace.ports_chat import ChatEnd, Ended
from headrace.stores.chat_errors import broken, of_event
from headrace.stores.vectors import brief

LONGEST_LINE = 1 << 20
LARGEST = 1 << 24
"""Bytes of one event and of a whole answer: more is no answer."""

_REASONS: dict[str, Ended] = {"content_filter": "refused", "length": "length", "model_length": "length"}
_OF_TOOLS = ("tool_calls", "function_call")
_HALF = re.compile("[\ud800-\udbff]$")


def events(parts: Iterable[bytes], where: str) -> Iterator[str]:
    """The data of each event, whatever pieces the bytes come in. A line that is bare JSON counts as one.

    Raises Retryable for more bytes than an answer has.
    """
    # Lines are cut as bytes and read whole: a letter may be cut between two parts.
    data: list[str] = []
    for line in _lines(parts, where):
        text = line.decode("utf-8", "replace")
        if text.startswith("data:"):
            data.append(text[5:].removeprefix(" "))
        elif text.startswith("{"):
            yield text
        elif not text and data:
            yield "\n".join(data)
            data.clear()
    if data:
        yield "\n".join(data)


def whole(parts: Iterable[bytes], where: str) -> bytes:
    """All bytes of an answer. Raises Retryable for more than an answer has."""
    found, size = list[bytes](), 0
    for part in parts:
        size += len(part)
        _bounded(size, LARGEST, where)
        found.append(part)
    return b"".join(found)


def _lines(parts: Iterable[bytes], where: str) -> Iterator[bytes]:
    rest, size = bytearray(), 0
    for part in parts:
        size += len(part)
        _bounded(size, LARGEST, where)
        rest += part
        if b"\n" in part:
            *lines, last = bytes(rest).split(b"\n")
            yield from (line.removesuffix(b"\r") for line in lines)
            rest = bytearray(last)
        _bounded(len(rest), LONGEST_LINE, where)
    if rest:
        yield bytes(rest).removesuffix(b"\r")


def _bounded(size: int, most: int, where: str) -> None:
    if size > most:
        todo = "It is tried again; where it goes on, check that this is a server of chat completions."
        raise Retryable(where=where, expected=f"an answer of at most {most:,} bytes", found="more", todo=todo)


class Answered:
    """What a stream has told so far. Give it each event's data; ask for `end` when no more come."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._reason: Ended | None = None
        self._refused = False
        self._usage: dict[str, Any] = {}
        self._half = ""

    @property
    def complete(self) -> bool:
        """Whether the answer's text is whole; its tokens may still come."""
        return self._reason is not None

    def piece(self, data: str) -> str:
        """The text of one event; empty where it holds none.

        Raises a HeadraceError that the server tells, and Retryable for what is no event of an answer.
        """
        if data.strip() == "[DONE]":
            self._reason = self._reason or "done"
            return ""
        chunk = self._object(data)
        if chunk.get("error"):
            raise of_event(chunk["error"], self._where)
        self._usage = chunk.get("usage") or self._usage
        choices = chunk.get("choices") or [{}]
        choice = choices[0] if isinstance(choices, list) and isinstance(choices[0], dict) else {}
        text = self._text(choice.get("delta") or choice.get("message") or {})
        if why := choice.get("finish_reason"):
            if why in _OF_TOOLS:
                raise self._no_answer(f"the end `{why}`, though no tool was offered")
            self._reason = _REASONS.get(why, "done")
        return self._joined(text)

    def end(self) -> ChatEnd:
        """How it ended. Raises Unreachable where the stream did not say so."""
        if self._reason is None:
            raise broken(self._where, "a stream that stops before its end")
        cached = self._usage.get("prompt_tokens_details")
        return ChatEnd(
            "refused" if self._refused else self._reason,
            _count(self._usage.get("prompt_tokens")),
            _count(self._usage.get("completion_tokens")),
            _count(cached.get("cached_tokens")) if isinstance(cached, dict) else None,
        )

    def _text(self, message: Any) -> str:
        if not isinstance(message, dict):
            raise self._no_answer(f"a message that is {type(message).__name__}")
        refusal, content = message.get("refusal"), message.get("content")
        self._refused = self._refused or bool(refusal)
        if isinstance(content, list):  # parts, as some servers send them
            content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
        return f"{content or ''}{refusal or ''}"

    def _joined(self, text: str) -> str:
        """A letter beyond the first 65,536 may come as two halves in two events."""
        if not self._half and text.isascii():
            return text
        text = self._half + text
        self._half = found[0] if (found := _HALF.search(text)) and not self.complete else ""
        text = text[: len(text) - len(self._half)]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _object(self, data: str) -> dict[str, Any]:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._no_answer(f"something else: {brief(data, 80)}")
        return found

    def _no_answer(self, found: str) -> HeadraceError:
        todo = "It is tried again, then the fallback is asked."
        return Retryable(where=self._where, expected="JSON objects of a chat completion", found=found, todo=todo)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def pieces(events: Iterable[str], where: str) -> Iterator[str | ChatEnd]:
    """The pieces of an answer, then its end."""
    answered = Answered(where)
    try:
        for data in events:
            if text := answered.piece(data):
                yield text
            if data.strip() == "[DONE]":
                break
    except HeadraceError:
        # The answer itself is there; what is lost is at most its number of tokens.
        if not answered.complete:
            raise
    yield answered.end()
