"""`headrace dataset diff NAME V1 V2`: what the second version has that the first has not, and the other way round.

With `--json` one object: `dataset`, `versions`, `rows` (`kept`, and lists of {was, now, examples} for `added`,
`removed` and `moved`), `refused` and `sources` (each {was, now} by name, where they differ), `same_settings`.
"""

import argparse
from collections.abc import Mapping
from typing import Any

from headrace.commands.options import config_option, json_option
from headrace.commands.text import aligned, moment, number, to_json
from headrace.config_file import load
from headrace.pipelines.dataset_versions import Known, chosen, moves, versions
from headrace.stores.delta_reader import DeltaReader

_WHAT = ("added", "removed", "moved")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the dataset and its versions."""
    parser.add_argument("name", metavar="NAME", help="a dataset")
    what = "a version or how it begins, newest, or newest~1 for the one before"
    parser.add_argument("first", metavar="V1", help=what)
    parser.add_argument("second", metavar="V2", help=what)
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Compare them."""
    reader = DeltaReader(load(args.config).lake)
    some = versions(reader, args.name)
    first, second = chosen(some, args.name, args.first), chosen(some, args.name, args.second)
    told = _difference(first, second, moves(reader, args.name, first.version, second.version))
    if args.json:
        print(to_json(told))
    else:
        _tell(first, second, told)
    return 0


def _difference(first: Known, second: Known, moved: Mapping[tuple[str | None, str | None], int]) -> dict[str, Any]:
    rows: dict[str, Any] = {name: [] for name in _WHAT}
    for (was, now), count in sorted(moved.items(), key=str):
        if was != now:
            what = "added" if was is None else "removed" if now is None else "moved"
            rows[what].append({"was": was, "now": now, "examples": count})
    rows["kept"] = sum(count for (was, now), count in moved.items() if was == now)
    return {
        "dataset": first.dataset, "versions": [first.version, second.version], "rows": rows,
        "refused": _changed(first.refused, second.refused), "sources": _changed(first.sources, second.sources),
        "same_settings": first.settings == second.settings,
    }  # fmt: skip


def _changed(was: Mapping[str, int], now: Mapping[str, int]) -> dict[str, dict[str, int | None]]:
    names = [name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name)]
    return {name: {"was": was.get(name), "now": now.get(name)} for name in names}


def _tell(first: Known, second: Known, told: dict[str, Any]) -> None:
    print(f"{first.dataset}: {first.version} of {moment(first.slot)} -> {second.version} of {moment(second.slot)}\n")
    rows = [
        (what, one["was"] or "-", one["now"] or "-", number(one["examples"]))
        for what in _WHAT
        for one in told["rows"][what]
    ]
    print(aligned(("rows", "was in", "is in", "examples"), [*rows, ("kept", "", "", number(told["rows"]["kept"]))]))
    for name in ("refused", "sources"):
        if told[name]:
            changed = [(each, number(one["was"]), number(one["now"])) for each, one in told[name].items()]
            print("\n" + aligned((name, "was", "is"), changed))
    print("\nThe settings are the same." if told["same_settings"] else "\nThe settings of the dataset differ.")
    if first.version != second.version and not rows:
        print("The same examples stand in the same splits: texts of theirs are others.")
