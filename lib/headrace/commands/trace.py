"""`headrace trace TABLE KEY`, `headrace trace FEED DOCUMENT`.

With `--json` one object, of a table: `table`, `key` (the forms looked for), `row` (or null), `events` (each with
`number`, `source`, `op`, `position`, `changed_at`, `arrived_at`, `batch`, `origin`, `values`, `partial`, `sent`,
`dump`, `outcome`, `why`), `tombstones`, `truncates`, `history`, `rejects`, `notes`. An `outcome` is `applied`, `stale`
or `refused`, as `status` counts them.

And `documents`: one for each feed that the row is a document of, or the one asked for: `feed`, `document`, `about`,
`pieces`, `passages` (each with `held`: by index the version it holds), `rejects`, `notes`.
"""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from headrace.commands.document_lines import document_lines
from headrace.commands.options import config_option, json_option
from headrace.commands.text import aligned, cut, moment, one_line, page_width, to_json
from headrace.config_file import load
from headrace.pipelines.events import Event
from headrace.pipelines.position_text import readable
from headrace.pipelines.trace import Story, trace
from headrace.pipelines.trace_document import feeds_of, trace_document


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the table and the key."""
    parser.add_argument("table", metavar="TABLE", help="a table of the settings, or a feed of documents")
    parser.add_argument(
        "key",
        metavar="KEY",
        help="the key's value; a JSON array for several columns: '[\"LH400\", 3]'; a document's name",
    )
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the story; 0 also where nothing is known of the key."""
    config = load(args.config)
    feeds = config.knowledge.documents if config.knowledge else {}
    if args.table in feeds and args.table not in config.keys():
        document = trace_document(config, args.table, args.key)
        print(to_json({"documents": [document.as_dict()]}) if args.json else "\n".join(document_lines(document)))
        return 0
    story = trace(config, args.table, args.key)
    documents = [trace_document(config, feed, args.key) for feed in feeds_of(config.knowledge, args.table)]
    if args.json:
        print(to_json(story.as_dict() | {"documents": [one.as_dict() for one in documents]}))
        return 0
    dropped = frozenset(config.tables[args.table].drop if args.table in config.tables else ())
    print("\n".join(_told(story, args.key, dropped)))
    for document in documents:
        print("\n" + "\n".join(document_lines(document)))
    return 0


def _told(story: Story, key: str, dropped: frozenset[str]) -> Iterable[str]:
    yield f"{story.table} {key}"
    yield ""
    yield from _row(story)
    yield ""
    if not story.derived:
        yield f"Events as they were taken in ({len(story.events)}):"
    if story.events:
        yield _events(story.events, dropped)
    if story.tombstones:
        yield "\nTombstones (deletes that are remembered):"
        yield _positions(story.tombstones, ("position", "deleted_at"))
    if story.truncates:
        yield "\nTruncates and dumps of the table:"
        yield _positions(story.truncates, ("position", "kind", "at"))
    if story.history:
        yield "\nHistory:"
        yield _positions(story.history, list(story.history[0]))
    if story.rejects:
        yield "\nRefused:"
        yield _positions(story.rejects, ("rejected_at", "reason", "detail", "position"), widest=100)
    for note in story.notes:
        yield f"\n{note}"


def _row(story: Story) -> Iterable[str]:
    if story.row is None:
        yield "No row lives under this key."
        return
    yield "The row now:"
    width = max(len(name) for name in story.row)
    for name, value in story.row.items():
        text = readable(value) if name == "_position" else one_line(value)
        yield f"  {name.ljust(width)}  {cut(text, 200)}"


def _events(events: Sequence[Event], dropped: frozenset[str]) -> str:
    headers = ("#", "arrived", "what", "position", "changed at source", "from", "outcome", "values")
    rows = []
    before: dict[str, str | None] = {}
    for event in events:
        outcome = f"{event.outcome}: {event.why}" if event.why else event.outcome
        rows.append(
            (
                event.number, moment(event.arrived_at), event.op + (" (partial)" if event.partial else ""),
                readable(event.position), moment(event.changed_at), _from(event), outcome,
                _values(event, before, dropped),
            )
        )  # fmt: skip
        before = event.values if event.values and event.op == "upsert" else before
    return aligned(headers, rows, indent=2, widest=max(60, page_width() // 3))


def _values(event: Event, before: dict[str, str | None], dropped: frozenset[str]) -> str:
    """What the event sent, without dropped columns; after the first upsert only what differs from the one before."""
    if event.values is None or event.op != "upsert":
        return "-"
    sent = {name: value for name, value in event.values.items() if name not in dropped}
    new = {name: value for name, value in sent.items() if name not in before or before[name] != value}
    return " ".join(f"{name}={one_line(value)}" for name, value in new.items()) or "(the same values)"


def _from(event: Event) -> str:
    stream = str(event.origin.get("stream") or "").rpartition("/")[2]
    place = f"{event.origin.get('partition') or 0}:{event.origin.get('offset') or 0}"
    return f"{event.source} {stream} {place}"


def _positions(rows: Sequence[dict[str, Any]], names: Sequence[str], widest: int = 40) -> str:
    places = ("position", "_position", "_valid_from", "_valid_to")
    shown = [[readable(row[name]) if name in places else row[name] for name in names] for row in rows]
    return aligned(names, shown, indent=2, widest=widest)
