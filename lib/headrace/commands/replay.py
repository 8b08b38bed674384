"""`headrace replay`.

With `--json` one object: `request` (the file in `<lake>/requests/`), `job`, `from`, `reason`, `table`, `since`,
`until`, `messages` (how many match now, null if unknown) and `outcome` (what the job recorded, null while open).
"""

import argparse
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.commands.options import config_option, json_option
from headrace.commands.text import moment, number, to_json
from headrace.config import Config
from headrace.config_base import parse_duration
from headrace.config_file import load
from headrace.errors import ConfigError
from headrace.pipelines.requests import From, ReplayRequest, outcome_of, write
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, literal
from headrace.stores.files import LakeFiles
from headrace.tables import CHANGES_LOG, REJECTS

_POLL_SECONDS = 0.5


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which messages to apply again."""
    parser.add_argument("--from", dest="take_from", choices=("rejects", "log"), help="default: rejects")
    parser.add_argument("--reason", metavar="TEXT", help="only rows refused for this reason, as `status` lists it")
    parser.add_argument("--table", metavar="NAME", help="only this table")
    times = "ISO 8601 (UTC where no offset is given), or an age such as 2h or 3 days"
    parser.add_argument("--since", metavar="TIME", help=f"only messages that arrived at or after TIME: {times}")
    parser.add_argument("--until", metavar="TIME", help="only messages that arrived before TIME")
    parser.add_argument("--wait", action="store_true", help="wait until the job has carried it out")
    parser.add_argument("--timeout", default="10m", metavar="AGE", help="how long to wait (default: 10m)")
    json_option(parser)
    config_option(parser)
    parser.epilog = (
        "A replay is a request: a file in <lake>/requests/ that apply_changes carries out in its next batch, or at\n"
        "its next start. Order is decided by positions, so a replay never puts an older row over a newer one."
    )


def run(args: argparse.Namespace) -> int:
    """Write the request, and wait for its outcome where asked to; 1 where it was not carried out in time."""
    config = load(args.config)
    request = _request(args, config)
    matching = _matching(LakeView(config), request, config)
    files = LakeFiles(config.lake)
    files.create()
    request = write(files, request)
    outcome = None
    if not args.json:
        _say_written(request, matching)
    if args.wait:
        outcome = _wait(files, request, parse_duration(args.timeout).total_seconds())
    if args.json:
        print(to_json(_body(request, matching, outcome)))
    elif args.wait:
        print(f"Carried out: {to_json(outcome, indent=None)}" if outcome else f"Still open after {args.timeout}.")
    return 1 if args.wait and outcome is None else 0


def _request(args: argparse.Namespace, config: Config) -> ReplayRequest:
    take_from: From = "log" if args.take_from == "log" else "rejects"
    if take_from == "log" and args.reason:
        todo = "Leave --from log away to replay refused rows."
        raise ConfigError(where="--reason", expected="--from rejects with it", found="--from log", todo=todo)
    if take_from == "log" and not config.log.enabled:
        todo = "Set log.enabled: true; what arrives from then on can be replayed."
        raise ConfigError(where="--from log", expected="changes_log", found="log.enabled: false", todo=todo)
    if args.table is not None and args.table not in config.tables:
        known = ", ".join(config.tables)
        raise ConfigError(where="--table", expected=f"one of {known}", found=args.table, todo="Name one of these.")
    since, until = _moment("--since", args.since), _moment("--until", args.until)
    if since and until and since >= until:
        found = f"{since.isoformat()} and {until.isoformat()}"
        raise ConfigError(where="--since", expected="a time before --until", found=found, todo="Swap them.")
    try:
        parse_duration(args.timeout)
    except ValueError as error:
        raise ConfigError(where="--timeout", expected="a duration", found=args.timeout, todo=f"{error}.") from None
    return ReplayRequest(take_from, args.reason, args.table, since, until)


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        age: timedelta = parse_duration(text)
        return datetime.now(UTC) - age
    except ValueError:
        expected = "a time such as 2026-01-31T08:00, or an age such as 2h"
        raise ConfigError(where=option, expected=expected, found=text, todo="Times are UTC.") from None


def _matching(view: LakeView, request: ReplayRequest, config: Config) -> int | None:
    """How many messages the request lets through today."""
    relative = REJECTS.path.format(job=request.job) if request.take_from == "rejects" else CHANGES_LOG.path
    if not view.exists(relative):
        return 0
    conditions = ["true"]
    conditions += [f"reason = {literal(request.reason)}"] if request.reason else []
    conditions += [_of_table(request.table, config)] if request.table else []
    conditions += [f"arrived_at >= {_time(request.since)}"] if request.since else []
    conditions += [f"arrived_at < {_time(request.until)}"] if request.until else []
    found = view.query(relative, f"SELECT count(*) AS n FROM {ROWS} WHERE {' AND '.join(conditions)}")
    return int(found[0]["n"])


def _of_table(table: str, config: Config) -> str:
    """As `pipelines.replay.of_table`, in the SQL of the reader."""
    settings = config.tables[table]
    if settings.source_table is not None:
        named = f"source_table = {literal(settings.source_table)}"
    else:
        named = f"split_part(source_table, '.', -1) = {literal(table.rpartition('.')[2])}"
    unrouted = f"`table` IS NULL AND source = {literal(settings.source)} AND {named}"
    return f"(`table` = {literal(table)} OR ({unrouted}))"


def _time(moment: datetime | None) -> str:
    return f"TIMESTAMP {literal(moment.isoformat())}" if moment else "NULL"


def _say_written(request: ReplayRequest, matching: int | None) -> None:
    where = "rejects" if request.take_from == "rejects" else "changes_log"
    filters = [f"reason {request.reason!r}"] if request.reason else []
    filters += [f"table {request.table}"] if request.table else []
    filters += [f"arrived since {moment(request.since)}"] if request.since else []
    filters += [f"arrived before {moment(request.until)}"] if request.until else []
    print(
        f"Replay of {where}" + (f" ({', '.join(filters)})" if filters else "") + f": {number(matching)} messages match."
    )
    print(f"Written to requests/{request.name}.")
    print(f"{request.job} carries it out in its next batch, or at its next start:")
    print(f"    headrace run {request.job} --once")
    if matching == 0:
        print("Nothing matches yet; `headrace status` lists the reasons and tables of refused rows.")


def _wait(files: LakeFiles, request: ReplayRequest, seconds: float) -> dict[str, Any] | None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        outcome = outcome_of(files, request)
        if outcome is not None:
            return outcome
        time.sleep(_POLL_SECONDS)
    return outcome_of(files, request)


def _body(request: ReplayRequest, matching: int | None, outcome: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "request": f"requests/{request.name}", "job": request.job, "from": request.take_from, "reason": request.reason,
        "table": request.table, "since": request.since, "until": request.until, "messages": matching,
        "outcome": outcome,
    }  # fmt: skip
