"""`headrace rejects`.

With `--json` one JSON object a row: `rejected_at`, `source`, `source_table` (as the source names it), `table` (null
where no settings name it), `key`, `reason`, `detail`, `message`, `message_as` (`text`, or `hex` where it is not UTF-8),
`origin`, `position`, `arrived_at`, `batch`. A message is as `rejects` keeps it: without the values of masked columns.
"""

import argparse
from typing import Any

from headrace.commands.jobs import JOBS
from headrace.commands.options import TIMES, at_most, config_option, json_option, limit_option, time_of
from headrace.commands.text import aligned, number, to_json
from headrace.config_file import load
from headrace.errors import ConfigError
from headrace.pipelines.kept_messages import other_reasons, refused_rows
from headrace.pipelines.table_names import unknown_table
from headrace.pipelines.tables_view import LakeView

_HEADERS = ("rejected at", "source", "table", "key", "reason", "detail", "message", "origin")
_WIDEST = 80


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which refused rows."""
    parser.add_argument("--reason", metavar="TEXT", help="only rows refused for this reason, as `status` lists it")
    parser.add_argument("--table", metavar="NAME", help="only this table")
    parser.add_argument("--since", metavar="TIME", help=f"only rows refused at or after TIME: {TIMES}")
    limit_option(parser)
    parser.add_argument("--job", default="apply_changes", metavar="NAME", help="whose (default: apply_changes)")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the refused rows, newest first; 0 also where there are none."""
    config = load(args.config)
    if args.job not in JOBS:
        found, known = f"unknown job {args.job}", ", ".join(JOBS)
        raise ConfigError(where="--job", expected=f"one of {known}", found=found, todo="Name one of these.")
    if args.table is not None and args.table not in config.keys():
        raise unknown_table("--table", args.table, list(config.keys()))
    view = LakeView(config)
    rows, count = refused_rows(
        view,
        args.job,
        reason=args.reason,
        table=args.table,
        since=time_of("--since", args.since),
        limit=at_most(args.limit),
    )
    if args.json:
        for row in rows:
            print(to_json(_body(row), indent=None))
    elif rows:
        print(aligned(_HEADERS, [_cells(row) for row in rows], widest=_WIDEST))
        print(f"\n{number(len(rows))} of {number(count)} refused row{'s' * (count != 1)}; --json shows them whole")
    else:
        print("No refused row matches." if args.reason or args.table or args.since else "No refused rows.")
        if args.reason and (known := other_reasons(view, args.job, args.reason)):
            print(known)
    return 0


def _body(row: dict[str, Any]) -> dict[str, Any]:
    message, said = _text(row["message"])
    return {**row, "message": message, "message_as": said}


def _cells(row: dict[str, Any]) -> list[Any]:
    # A row of no table is told by the name the source gave it.
    table = row["table"] or (f"({row['source_table']})" if row["source_table"] else "-")
    origin = row["origin"] or {}
    place = ":".join(str(origin.get(name) or 0) for name in ("partition", "offset", "part"))
    stream = str(origin.get("stream") or "-").rpartition("/")[2]
    message = _text(row["message"])[0]
    return [
        row["rejected_at"], row["source"], table, row["key"] or "-", row["reason"], row["detail"] or "-",
        "-" if message is None else message, f"{stream} {place}",
    ]  # fmt: skip


def _text(message: bytes | None) -> tuple[str | None, str]:
    """A message as text where it is UTF-8, else as hexadecimal; and which of the two."""
    if message is None:
        return None, "text"
    try:
        return message.decode("utf-8"), "text"
    except UnicodeDecodeError:
        return message.hex(), "hex"
