"""`headrace rebuild vectors | INDEX`.

With `--json` one object: `request` (the file in `<lake>/requests/index_knowledge/`), `kind`,
`name`, and `outcome` (what the job recorded, null while open).
"""

import argparse
from collections.abc import Collection
from functools import partial

from headrace.commands.options import config_option, json_option, seconds_of
from headrace.commands.text import to_json
from headrace.config_file import load
from headrace.config_knowledge import Knowledge
from headrace.errors import ConfigError
from headrace.pipelines import models, rebuilds, request_files
from headrace.pipelines.rebuilds import Rebuild
from headrace.stores.files import LakeFiles

_TABLES = "Rows of tables are applied again with `headrace replay` (`--from log --table NAME`)."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to rebuild and how."""
    parser.add_argument("what", metavar="WHAT", help="vectors, or the name of an index")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--model", metavar="NAME", help="vectors: change to this model of knowledge.models")
    one.add_argument("--rollback", action="store_true", help="vectors: back to the model that was active before")
    one.add_argument("--drop", metavar="NAME", help="vectors: give up a model that is not active, with its generations")
    parser.add_argument("--wait", action="store_true", help="wait until the job has carried it out")
    parser.add_argument("--timeout", default="1h", metavar="AGE", help="how long to wait (default: 1h)")
    json_option(parser)
    config_option(parser)
    parser.epilog = (
        "A rebuild is a request: a file in <lake>/requests/index_knowledge/ that index_knowledge carries out while it\n"
        "goes on taking changes in. A new model gets a new generation of every index; readers see it once it is\n"
        "complete and checked. The old one is kept in step for --rollback until it is dropped."
    )


def run(args: argparse.Namespace) -> int:
    """Write the request, and wait for its outcome where asked to; 1 where it was refused or not done in time."""
    config = load(args.config)
    if config.knowledge is None:
        expected = "knowledge in the settings, with indexes and models to rebuild"
        raise ConfigError(where="rebuild", expected=expected, found="tables alone", todo=_TABLES)
    seconds = seconds_of("--timeout", args.timeout)
    files = LakeFiles(config.lake)
    files.create()
    request = rebuilds.write(files, _request(args, config.knowledge, config.tables))
    if not args.json:
        print(f"Written to {rebuilds.FOLDER}/{request.file}.")
        print("index_knowledge carries it out in its next round, or at its next start:")
        print("    headrace run index_knowledge --once")
    look = partial(rebuilds.outcome_of, files, request.file)
    outcome = request_files.waited(look, seconds) if args.wait else None
    if args.json:
        body = {"request": request.file, "kind": request.kind, "name": request.name, "outcome": outcome}
        print(to_json(body))
    elif args.wait:
        print(f"Carried out: {to_json(outcome, indent=None)}" if outcome else f"Still open after {args.timeout}.")
    return 1 if args.wait and (outcome is None or "refused" in outcome) else 0


def _request(args: argparse.Namespace, settings: Knowledge, tables: Collection[str]) -> Rebuild:
    names = settings.all_models()
    if args.what == "vectors":
        if args.rollback:
            return Rebuild("rollback")
        if args.drop:
            return Rebuild("drop", args.drop)
        if args.model is None:
            todo = f"Name a model ({', '.join(names)}) with --model, or --rollback, or --drop NAME."
            raise ConfigError(where="rebuild vectors", expected="what to do", found="nothing", todo=todo)
        if args.model not in names:
            raise models.unknown_model(args.model, names)
        return Rebuild("model", args.model)
    if args.model or args.rollback or args.drop:
        todo = "`headrace rebuild vectors` takes --model, --rollback and --drop."
        raise ConfigError(where=f"rebuild {args.what}", expected="an index alone", found="an option", todo=todo)
    if args.what not in settings.indexes:
        known = ", ".join(["vectors", *settings.indexes])
        todo = _TABLES if args.what in tables else "Name one of these."
        raise ConfigError(where="rebuild", expected=f"one of {known}", found=args.what, todo=todo)
    return Rebuild("index", args.what)
