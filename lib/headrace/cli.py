"""The command line: `headrace VERB ...`. Its exit codes: `errors.EXIT_CODES`."""

import argparse
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from headrace import __version__
from headrace.errors import EXIT_CODES, HeadraceError, exit_code
from headrace.stores.disk import disk_trouble

VERBS = {
    "run": "run jobs: take in what is there and stop (--once), or stream until stopped",
    "demo": "a travel company's changes, late and doubled, become correct tables before your eyes",
    "status": "lag, rows, refused rows, batch times and freshness",
    "check": "try the settings and every connection, and say what to fix",
    "init": "look at a topic or a folder and propose a settings file",
    "trace": "the story of one row: what arrived, what was applied, what was stale and why",
    "replay": "ask for refused rows or a part of the log to be applied again",
    "table": "print the current rows of a table",
    "rejects": "the refused rows themselves: when and why, and the message",
    "rebuild": "ask for a new model's vectors, or for an index to be filled anew",
    "ask": "answer a question from an index, or show the passages found for it and who asks",
    "alerts": "what the rules of alerts say now, or would have said in the past",
    "judge": "how satisfied people were with a sample of conversations, as a model sees it, and how far people agree",
    "views": "SQL views over measures, turns and ratings for DuckDB, Databricks SQL, Athena or Redshift Spectrum",
    "dashboards": "a file to import into OpenSearch Dashboards: a plot of each measure",
    "explain": "why records are one person: what links them, and every merge and split with its cause",
    "erase": "ask all jobs to erase a person, and see what became of it",
    "dataset": "datasets for training: build, show, compare, check, publish, launch a training job, evaluate a model",
    "serve": "a page for the assistant, freshness, measures and people, and the same as an API",
}

_EXAMPLES = f"""examples:
  headrace init --from files --path ./in --out headrace.yaml    propose settings for a folder of events
  headrace run apply_changes --once                             bring the tables up to date, then stop
  headrace trace bookings 42                                    what happened to booking 42, and why

exit codes:
  {EXIT_CODES}
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code. Errors go to stderr as a message; `--debug` shows the whole trace."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        parser, verb = _parser(arguments)
        parsed = parser.parse_args(arguments)
        return verb.run(parsed)
    except SystemExit as ended:  # argparse, after --help or a usage error
        return ended.code if isinstance(ended.code, int) else 2
    except HeadraceError as error:
        return _failed(error, debug)
    except BrokenPipeError:
        # The reader went away (`| head`). Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        trouble = disk_trouble(error)
        return _failed(trouble, debug) if trouble else _surprised(error, debug)


def _parser(arguments: Sequence[str]) -> tuple[argparse.ArgumentParser, "_Verb"]:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="headrace",
        description="Change events in, always-correct Delta tables out.",
        epilog=_EXAMPLES,
        formatter_class=form,
    )
    parser.add_argument("--version", action="version", version=f"headrace {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", required=True)
    typed = next((argument for argument in arguments if argument in VERBS), None)
    verb = _Verb(typed)
    for name, summary in VERBS.items():
        below = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        below.formatter_class = form
        below.add_argument("--debug", action="store_true", help="show the whole trace of an error")
        if name == typed:
            verb.arguments(below)
    return parser, verb


class _Verb:
    """The module of the verb that was typed; none where argparse is about to refuse the line."""

    def __init__(self, name: str | None) -> None:
        self._module = importlib.import_module(f"headrace.commands.{name}") if name else None

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        if self._module:
            self._module.arguments(parser)

    def run(self, parsed: argparse.Namespace) -> int:
        return int(self._module.run(parsed)) if self._module else 2


def _failed(error: HeadraceError, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    print(f"headrace: {error}", file=sys.stderr)
    return exit_code(error)


def _surprised(error: Exception, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    else:
        handle, name = tempfile.mkstemp(prefix="headrace-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        first = (str(error).strip().splitlines() or [""])[0][:300]
        print(f"headrace: unexpected {type(error).__name__}: {first}", file=sys.stderr)
        print(f"The full trace is in {Path(name)}; --debug shows it here.", file=sys.stderr)
    return exit_code(error)


if __name__ == "__main__":
    sys.exit(main())
