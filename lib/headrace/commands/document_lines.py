"""The part of `headrace trace` that tells of a document, its passages and the indexes."""

from collections.abc import Iterable
from typing import Any

from headrace.commands.text import aligned, cut, moment, one_line
from headrace.pipelines.trace_document import DocumentStory

_SHOWN = ("title", "url", "media_type", "language", "tags", "tenant", "audience", "metadata", "changed_at", "position")


def document_lines(story: DocumentStory) -> Iterable[str]:
    """The story for people."""
    yield f"Document {story.feed}/{story.document}"
    if story.about is None:
        yield "  It was never seen. Documents are named as their feed names them: a path below the folder, a row's key."
    elif story.about["deleted"]:
        yield f"  deleted; the delete is remembered at position {story.about['position']}"
    else:
        for name in _SHOWN:
            if story.about[name] not in (None, [], "{}"):
                yield f"  {name.ljust(10)}  {cut(one_line(story.about[name]), 200)}"
    if story.pieces:
        yield f"\nPieces ({len(story.pieces)}):"
        rows = [_piece(one) for one in story.pieces]
        yield aligned(("#", "characters", "chunk", "text", "failures"), rows, indent=2)
    if story.passages:
        yield f"\nPassages ({len(story.passages)}):"
        names = sorted({name for one in story.passages for name in one["held"]})
        rows = [
            (one["model"], one["chunk"], "deleted" if one["deleted"] else "served", one["commit"],
             *[one["held"].get(name) for name in names])
            for one in story.passages
        ]  # fmt: skip
        yield aligned(("model", "chunk", "in the lake", "commit", *[f"in {name}" for name in names]), rows, indent=2)
    if story.rejects:
        yield "\nRefused versions:"
        shown = [(moment(one["rejected_at"]), one["reason"], one["detail"], one["position"]) for one in story.rejects]
        yield aligned(("at", "reason", "detail", "position"), shown, indent=2, widest=100)
    for note in story.notes:
        yield f"\n{note}"


def _piece(one: dict[str, Any]) -> tuple[Any, ...]:
    place, text = f"{one['start']}:{one['end']}", cut(one_line(one["text"]), 60)
    return one["ordinal"], place, one["chunk"], text, _failed(one)


def _failed(piece: dict[str, Any]) -> str:
    failures = dict(piece["failures"] or {})
    return "; ".join(f"{one['attempts']} times: {one['last_error']}" for one in failures.values())
