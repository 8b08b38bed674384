"""`headrace status`.

With `--json` one object:

    lake, at
    sources     by name: lag {behind, unit, why}, last_batch, finished_at, seconds (last batches, newest first)
    tables      by name: source, rows, tombstones, sent, applied, stale, rejected, ignored, newest_changed_at,
                fresh_seconds, schema [{source, name, type, declared, partial, dropped}], why
    no_table    sent, applied, stale, rejected, ignored: what belongs to no table
    rejects     [{table, reason, count, newest, example}]
    open_requests   names of the files in <lake>/requests/ that are not carried out yet
    people      null without profiles, else records (by name), people, quarantined (by kind), behind, stores (by name,
                commits behind)
    served      by table: store, behind (commits of changed_keys), as_of, age, stale, why
    knowledge   null without it, else
        feeds       by name: living, deleted, newest_changed_at
        pieces      of the living documents
        models      by name: role (active, filling, before), passages, vectors, failed
        indexes     [{index, model, generation, behind, compared {wanted, held, missing, extra, old, pending, examples},
                    why}]
        rejects     as above, of documents and passages
        open_requests
    feedback    null without it, else
        sources     by name: lag as above, of this job alone, batch
        turns, ratings, newest_turn, newest_rating, unscored, settled_before, newest_minute,
                    counted_at
        rejects     as above, of events
        rules       by name: says (fires, calm, ...), numbers, last (newest alert); why (they cannot be judged)
        open_erasures   names of the requests that track_feedback has yet to carry out
        behind      stores of feedback.publish that have not got all measures, by name: since, why
    heartbeats  by job and source: at (when it was last seen followed), run (the id of that run)

Unknown numbers are null; `why` says the reason. Keys are only ever added.
"""

import argparse
from collections.abc import Iterable
from datetime import datetime

from headrace.commands.feedback_lines import feedback_lines
from headrace.commands.knowledge_lines import knowledge_lines
from headrace.commands.options import config_option, json_option
from headrace.commands.people_lines import people_lines
from headrace.commands.serve_lines import serve_lines
from headrace.commands.text import aligned, cut, duration, moment, number, page_width, to_json
from headrace.config_file import load
from headrace.pipelines.status import Status, status


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--schema", action="store_true", help="show the learned columns of every table too")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the status."""
    found = status(load(args.config))
    print(to_json(found.as_dict()) if args.json else "\n".join(_told(found, args.schema)))
    return 0


def _told(found: Status, schema: bool) -> Iterable[str]:
    yield f"Lake {found.lake} at {moment(found.at.replace(microsecond=0))} UTC"
    if found.sources:
        yield f"\n{_sources(found)}"
    if found.heartbeats:
        yield f"\n{_heartbeats(found)}"
    if found.tables:
        yield f"\n{_tables(found)}"
    if found.no_table["ignored"] or found.no_table["rejected"]:
        ignored, refused = number(found.no_table["ignored"]), number(found.no_table["rejected"])
        yield f"\nMessages that belong to no table: {ignored} ignored by design, {refused} refused."
    if any(table.schema for table in found.tables.values()):
        yield "\nColumns, as declared or learned (--schema shows them all):"
        yield from _schemas(found)
    yield ""
    yield from _rejects(found)
    if found.knowledge is not None:
        yield ""
        yield from knowledge_lines(found.knowledge)
    if found.people is not None:
        yield ""
        yield from people_lines(found.people)
    if found.served:
        yield ""
        yield from serve_lines(found.served)
    if found.feedback is not None:
        yield ""
        yield from feedback_lines(found.feedback)
    for request in found.open_requests:
        yield f"Open request: {request}; `headrace run apply_changes --once` carries it out."
    if schema:
        for name, table in found.tables.items():
            yield f"\nColumns of {name}:"
            rows = [
                (column["source"], "(dropped)" if column["dropped"] else column["name"], column["type"],
                 "declared" if column["declared"] else "learned", "yes" if column["partial"] else "")
                for column in table.schema
            ]  # fmt: skip
            yield aligned(("at the source", "in the table", "type", "from", "partial"), rows, indent=2)


def _schemas(found: Status) -> Iterable[str]:
    width = max(len(name) for name in found.tables)
    for name, table in found.tables.items():
        columns = ", ".join(f"{column['name']} {column['type']}" for column in table.schema if not column["dropped"])
        yield cut(f"  {name.ljust(width)}  {columns or '-'}", page_width())


def _sources(found: Status) -> str:
    rows = []
    for name, source in found.sources.items():
        behind = f"{number(source.lag.behind)} {source.lag.unit}" if source.lag.behind is not None else "unknown"
        lasted = ", ".join(duration(seconds) for seconds in source.seconds[:5]) or "-"
        rows.append((name, behind, number(source.last_batch), moment(source.finished_at), lasted))
    text = aligned(("source", "behind", "batch", "finished", "last batches took"), rows)
    said = [
        f"{name}: {'lag unknown: ' if one.lag.behind is None else ''}{one.lag.why}"
        for name, one in found.sources.items()
        if one.lag.why
    ]
    return "\n".join([text, *said])


def _heartbeats(found: Status) -> str:
    rows = [
        (job, source, duration((found.at - datetime.fromisoformat(beat["at"])).total_seconds()), beat["run"] or "-")
        for job, sources in found.heartbeats.items()
        for source, beat in sources.items()
    ]
    return aligned(("job", "source", "last heartbeat", "run"), rows)


def _tables(found: Status) -> str:
    headers = (
        "table", "source", "rows", "tombstones", "sent", "applied", "stale", "rejected", "ignored", "newest change",
        "age",
    )  # fmt: skip
    rows = [
        (
            name, table.source, number(table.rows), number(table.tombstones), number(table.sent), number(table.applied),
            number(table.stale), number(table.rejected), number(table.ignored), moment(table.newest_changed_at),
            duration(table.fresh_seconds),
        )
        for name, table in found.tables.items()
    ]  # fmt: skip
    return aligned(headers, rows)


def _rejects(found: Status) -> Iterable[str]:
    if not found.rejects:
        if not any(one.rejects for one in (found.knowledge, found.feedback) if one is not None):
            yield "No refused rows."
        return
    yield "Refused rows (`headrace replay --reason ...` applies them again after the fix):"
    rows = [
        (reject["table"] or "-", reject["reason"], number(reject["count"]), moment(reject["newest"]), reject["example"])
        for reject in found.rejects
    ]
    yield aligned(("table", "reason", "count", "newest", "for example"), rows, widest=90)
