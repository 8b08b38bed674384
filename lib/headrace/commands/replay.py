"""`headrace replay`.

Where no message matches nothing is written. With `--json` one object: `request` (the file in `<lake>/requests/`; null
where none was written), `job`, `from`, `reason`, `table`, `since`, `until`, `messages` (how many match now) and
`outcome` (what the job recorded, null while open).
"""

import argparse
from functools import partial
from typing import Any

from headrace.commands.options import TIMES, config_option, json_option, seconds_of, time_of
from headrace.commands.text import moment, number, to_json
from headrace.config import Config
from headrace.config_file import load
from headrace.errors import ConfigError
from headrace.pipelines.kept_messages import matching, other_reasons
from headrace.pipelines.request_files import waited
from headrace.pipelines.requests import From, ReplayRequest, outcome_of, write
from headrace.pipelines.table_names import unknown_table
from headrace.pipelines.tables_view import LakeView
from headrace.stores.files import LakeFiles

_NOTHING = "Nothing was asked for. `headrace status` lists the reasons and tables of refused rows."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which messages to apply again."""
    parser.add_argument("--from", dest="take_from", choices=("rejects", "log"), help="default: rejects")
    parser.add_argument("--reason", metavar="TEXT", help="only rows refused for this reason, as `status` lists it")
    parser.add_argument("--table", metavar="NAME", help="only this table")
    parser.add_argument("--since", metavar="TIME", help=f"only messages that arrived at or after TIME: {TIMES}")
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
    view = LakeView(config)
    found = matching(view, request)
    if not args.json:
        print(f"{_described(request)}: {number(found)} message{'s match' if found != 1 else ' matches'}.")
    if not found:
        print(to_json(_body(request, found, None)) if args.json else _NOTHING)
        if request.reason and not args.json and (known := other_reasons(view, request.job, request.reason)):
            print(known)
        return 0
    files = LakeFiles(config.lake)
    files.create()
    request = write(files, request)
    outcome = None
    if not args.json:
        _say_written(request)
    if args.wait:
        outcome = waited(partial(outcome_of, files, request), seconds_of("--timeout", args.timeout))
    if args.json:
        print(to_json(_body(request, found, outcome)))
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
    if args.table in config.derive:
        found = f"{args.table}, which is derived"
        todo = "It follows its base tables by itself: replay one of those."
        raise ConfigError(where="--table", expected="an ordered table", found=found, todo=todo)
    if args.table is not None and args.table not in config.tables:
        raise unknown_table("--table", args.table, list(config.tables))
    since, until = time_of("--since", args.since), time_of("--until", args.until)
    if since and until and since >= until:
        found = f"{since.isoformat()} and {until.isoformat()}"
        raise ConfigError(where="--since", expected="a time before --until", found=found, todo="Swap them.")
    seconds_of("--timeout", args.timeout)
    return ReplayRequest(take_from, args.reason, args.table, since, until)


def _described(request: ReplayRequest) -> str:
    where = "rejects" if request.take_from == "rejects" else "changes_log"
    filters = [f"reason {request.reason!r}"] if request.reason else []
    filters += [f"table {request.table}"] if request.table else []
    filters += [f"arrived since {moment(request.since)}"] if request.since else []
    filters += [f"arrived before {moment(request.until)}"] if request.until else []
    return f"Replay of {where}" + (f" ({', '.join(filters)})" if filters else "")


def _say_written(request: ReplayRequest) -> None:
    print(f"Written to requests/{request.name}.")
    print(f"{request.job} carries it out in its next batch, or at its next start:")
    print(f"    headrace run {request.job} --once")


def _body(request: ReplayRequest, messages: int, outcome: dict[str, Any] | None) -> dict[str, Any]:
    written = f"requests/{request.name}" if request.name else None
    return {
        "request": written, "job": request.job, "from": request.take_from, "reason": request.reason,
        "table": request.table, "since": request.since, "until": request.until, "messages": messages,
        "outcome": outcome,
    }  # fmt: skip
