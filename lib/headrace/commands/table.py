"""`headrace table NAME`.

With `--json` one JSON object a row: the table's own columns, then `_position` and `_changed_at`; times as ISO 8601,
decimals as text, binary as hexadecimal.
"""

import argparse

from headrace.commands.options import at_most, config_option, json_option, limit_option
from headrace.commands.text import aligned, number, to_json
from headrace.config_file import load
from headrace.pipelines.position_text import readable
from headrace.pipelines.tables_view import LakeView, current_rows
from headrace.tables import POSITION, TABLES


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the table and which of its rows."""
    parser.add_argument("table", metavar="NAME", help="a table of the settings")
    limit_option(parser)
    parser.add_argument("--where", metavar="SQL", help="a condition, e.g. \"status = 'PAID' AND price > 100\"")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the rows."""
    view = LakeView(load(args.config))
    rows = current_rows(view, args.table, where=args.where, limit=at_most(args.limit))
    if args.json:
        for row in rows:
            print(to_json(row, indent=None))
        return 0
    names = list(rows[0]) if rows else [name for name, _ in view.columns(TABLES.format(table=args.table))]
    shown = [[readable(row[name]) if name == POSITION else row[name] for name in names] for row in rows]
    print(aligned(names, shown))
    print(f"\n{_count(view, args, len(rows))}")
    return 0


def _count(view: LakeView, args: argparse.Namespace, shown: int) -> str:
    if args.where:
        return f"{number(shown)} row{'s' * (shown != 1)}" + (
            f" (at most {args.limit} are shown)" if shown == args.limit else ""
        )
    return f"{number(shown)} of {number(view.count(TABLES.format(table=args.table)))} rows"
