"""Events -> what their documents say now: loaded, parsed, cut. Runs in Python workers."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from headrace.config_knowledge import Chunk, Parse
from headrace.errors import Retryable
from headrace.knowledge import chunk as cutting
from headrace.knowledge.parse import Parsed, Unparsable, media, parse
from headrace.ports import Loader

PIECES = "array<struct<chunk: string, ordinal: int, heading: array<string>, start: int, end: int, tokens: int, text: string, embedded: string, content_hash: string>>"  # noqa: E501
READ = f"""feed string, document string, op string, position string, tag string, changed_at timestamp, title string,
    url string, media_type string, language string, tags array<string>, tenant string, audience array<string>,
    metadata string, content_hash string, pieces {PIECES}, reason string, detail string"""
"""`op` becomes `refused` where `reason` says why, `gone` where a listed object is not there any more, and `same` where
a look finds what is stored; a look that finds nothing is a `delete`."""


def documents(events: DataFrame, load: Callable[[], Loader], limits: Parse, settings: Chunk) -> DataFrame:
    """Every event with its document's text cut to pieces, schema `READ`.

    Args:
        load: makes a loader; called once in each worker.
    """

    def read_all(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        loader = load()
        for frame in frames:
            events = ({str(name): value for name, value in row.items()} for row in frame.to_dict("records"))
            rows = [_read(event, loader, limits, settings) for event in events]
            yield pd.DataFrame(rows, columns=_NAMES)

    return events.mapInPandas(read_all, READ)


NOT_LOADED = "not loaded"
_PLAIN = (media.MARKDOWN, media.TEXT, media.CSV, media.JSON, media.JSON_LINES)
_TEXTS = (*_PLAIN, media.HTML)
_KEPT = ("feed", "document", "op", "position", "tag", "changed_at", "url", "tenant", "metadata")
_NAMES = [*_KEPT, "title", "media_type", "language", "tags", "audience", "content_hash", "pieces", "reason", "detail"]


def _read(event: dict[str, Any], load: Loader, limits: Parse, settings: Chunk) -> dict[str, Any]:
    told: dict[str, Any] = {name: event[name] for name in _KEPT}
    told |= {name: [] if event[name] is None else list(event[name]) for name in ("tags", "audience")}
    told |= {"title": event["title"], "media_type": event["media_type"], "language": event["language"], "pieces": []}
    told |= {"content_hash": None, "reason": None, "detail": None}
    if event["op"] == "delete":
        return told
    try:
        content = event["content"]
        if content is None:
            told |= _loaded(event, load)
            content = told.pop("content", None)
        if content is None:
            return told
        name = event["locator"] or event["document"]
        if _emptied(bytes(content), name, event["media_type"]):
            parsed = _nothing(event)
        else:
            parsed = parse(bytes(content), name, event["media_type"], limits)
    except Unparsable as error:
        if error.reason == "empty" and media.named(name, event["media_type"]) in _PLAIN:
            return told | _said(told, _nothing(event), settings)
        return told | {"op": "refused", "reason": error.reason, "detail": error.detail}
    except Retryable as error:
        return told | {"op": "refused", "reason": NOT_LOADED, "detail": str(error)}
    return told | _said(told, parsed, settings)


def _nothing(event: dict[str, Any]) -> Parsed:
    return Parsed(None, "", event["media_type"] or media.TEXT, None, {})


def _emptied(content: bytes, name: str, media_type: str | None) -> bool:
    """Whether somebody took all text out of a text document: its passages must go. An empty PDF is a broken one."""
    return not content.strip(b" \t\r\n") and media.named(name, media_type) in _TEXTS


def _loaded(event: dict[str, Any], load: Loader) -> dict[str, Any]:
    look = event["op"] == "look"
    found = load(event["locator"], event["tag"] if look else None)
    if found is None:
        return {"op": "delete" if look else "gone", "tag": None}
    # The tag of what was read, not of what was told: both may be there again, and must not be taken for each other.
    return {"op": "same" if found.content is None else "upsert", "tag": found.tag, "content": found.content}


def _said(told: dict[str, Any], parsed: Parsed, settings: Chunk) -> dict[str, Any]:
    title = told["title"] or parsed.title
    pieces = cutting.chunks(f"{told['feed']}\0{told['document']}", parsed.text, title, settings)
    found = [asdict(piece) for piece in pieces]
    for piece in found:
        piece["chunk"] = piece.pop("id")
    metadata = {**parsed.metadata, **json.loads(told["metadata"] or "{}")}
    return {
        "title": title,
        "media_type": parsed.media_type,
        "language": told["language"] or parsed.language,
        "metadata": json.dumps(metadata, sort_keys=True, ensure_ascii=False),
        "content_hash": blake2b(parsed.text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        "pieces": found,
    }
