"""Documents -> examples of the kind `text`: one for each document, put together again from its pieces."""

from collections.abc import Iterable
from datetime import datetime

from headrace.training.example import Example, example_id


def text_of(pieces: Iterable[tuple[int, int, str]]) -> str:
    """The document's text; what two pieces share stands in it once, what lies between two is one empty line.

    Args:
        pieces: start, end and text of each, in any order.
    """
    parts: list[str] = []
    at = 0
    for start, end, text in sorted(pieces):
        if end <= at:
            continue
        parts.append(text[at - start :] if start < at else f"\n\n{text}" if parts else text)
        at = end
    return "".join(parts).strip()


def example(feed: str, document: str, text: str, at: datetime, language: str | None, tenant: str | None) -> Example:
    """A document as an example; all of it stands on one side of a split."""
    return Example(
        id=example_id("text", feed, document), kind="text", conversation="", turn=0, at=at, origin="document",
        completion=text, group=f"{feed}/{document}", language=language, tenant=tenant,
    )  # fmt: skip
