"""`headrace dataset show [NAME]`: the versions, the newest first; with a name, all that is known of the newest too.

With `--json` a list of objects: `dataset`, `version`, `slot`, `slots`, `as_of`, `built_at`, `kind`, `formats`,
`settings`, `sources`, `rows`, `refused`, `moved`, `places`, `aliases`, `revoked_at`, `revoked_why`.
"""

import argparse
from dataclasses import asdict
from typing import Any

from headrace.commands.options import at_most, config_option, json_option, limit_option
from headrace.commands.text import aligned, moment, number, to_json
from headrace.config import Config
from headrace.config_file import load
from headrace.errors import NotThere
from headrace.pipelines.dataset_versions import Known, named, versions
from headrace.stores.delta_reader import DeltaReader
from headrace.stores.mlflow_versions import MlflowVersions
from headrace.training.layout import SPLITS

_WIDEST = 60


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the dataset."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a dataset; all where not given")
    limit_option(parser)
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Show them."""
    config = load(args.config)
    found = versions(DeltaReader(config.lake), args.name)
    if args.name and not found:
        named(config, args.name)
        todo = f"`headrace dataset build {args.name}` makes one."
        raise NotThere(where=args.name, expected="a version", found="none", todo=todo)
    shown = found[: at_most(args.limit)]
    aliases = _aliases(config, sorted({one.dataset for one in shown}))
    if args.json:
        print(to_json([_told(one, aliases) for one in shown]))
        return 0
    if not shown:
        print("No versions yet. `headrace run curate_dataset --once` makes them.")
        return 0
    print(aligned(_HEADERS, [_row(one, aliases) for one in shown], widest=_WIDEST))
    if len(shown) < len(found):
        print(f"\n{len(found) - len(shown)} older ones are not shown; --limit 0 shows all.")
    if args.name:
        _tell(shown[0])
    return 0


_HEADERS = ("dataset", "version", "slot", *SPLITS, "refused", "moved", "aliases", "revoked")


def _row(one: Known, aliases: dict[tuple[str, str], list[str]]) -> tuple[Any, ...]:
    counts = [number(one.rows.get(split, 0)) for split in SPLITS]
    refused, names = number(sum(one.refused.values())), ", ".join(aliases.get((one.dataset, one.version), []))
    revoked = f"{moment(one.revoked_at)} {one.revoked_why or ''}".strip() if one.revoked_at else "-"
    return one.dataset, one.version, moment(one.slot), *counts, refused, number(one.moved), names or "-", revoked


def _tell(one: Known) -> None:
    print(f"\n{one.dataset} {one.version}, {one.kind}, of the tables as of {moment(one.as_of)}:")
    for name, version in sorted(one.sources.items()):
        print(f"  {name}, version {version}")
    print("\nFolders:")
    for format, place in one.places().items():
        print(f"  {format}: {place}")
    if one.refused:
        rows = sorted(one.refused.items(), key=lambda pair: (-pair[1], pair[0]))
        print("\n" + aligned(("refused", "examples"), [(name, number(count)) for name, count in rows]))


def _told(one: Known, aliases: dict[tuple[str, str], list[str]]) -> dict[str, Any]:
    told = {name: value for name, value in asdict(one).items() if name != "folder"}
    return told | {"places": one.places(), "aliases": aliases.get((one.dataset, one.version), [])}


def _aliases(config: Config, names: list[str]) -> dict[tuple[str, str], list[str]]:
    if config.datasets is None or config.datasets.mlflow is None:
        return {}
    told, found = MlflowVersions(config.datasets.mlflow), dict[tuple[str, str], list[str]]()
    for name in names:
        for alias, version in told.aliases(name).items():
            found.setdefault((name, version), []).append(alias)
    return found
