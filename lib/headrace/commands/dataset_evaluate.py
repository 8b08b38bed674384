"""`headrace dataset evaluate NAME`: asks two models the test split, and compares their answers with the good ones.

With `--json` one object: `dataset`, `version`, `questions`, `tuned` and `base` (each `model`, `rates` of {value, low,
high}, `overlap`, `p50`, `p95`, `input_tokens`, `output_tokens`), `difference` (`overlap`: {mean, low, high, better,
worse}; for each rate {tuned_only, base_only}).
"""

import argparse
from contextlib import closing
from dataclasses import asdict
from typing import Any

from headrace.commands.options import config_option, count_of, json_option
from headrace.commands.text import aligned, duration, number, to_json
from headrace.config_datasets import Asked, Dataset
from headrace.config_file import load
from headrace.conversations.rates import LEAST, Rate
from headrace.errors import ConfigError
from headrace.pipelines.dataset_evaluating import RATES, Compared, Side, compared, questions
from headrace.pipelines.dataset_versions import NEWEST, chosen, named, versions
from headrace.stores.chat_models import chat_model
from headrace.stores.delta_reader import DeltaReader

_AT_A_TIME = 8
_SECONDS = 120.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the models and the version."""
    parser.add_argument("name", metavar="NAME", help="a dataset of the settings")
    for side, word in (("model", "tuned"), ("base", "base")):
        what = f"one of datasets.sets.NAME.evaluate (default: {word})"
        parser.add_argument(f"--{side}", default=word, metavar="NAME", help=what)
    parser.add_argument("--version", default=NEWEST, metavar="VERSION", help="a version or how it begins (newest)")
    parser.add_argument("--limit", type=count_of, metavar="N", help="at most N questions; all where not given")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Ask both."""
    config = load(args.config)
    one = named(config, args.name)
    settings = [_settings(one, args.name, side) for side in (args.model, args.base)]
    version = chosen(versions(DeltaReader(config.lake), args.name), args.name, args.version)
    asked = questions(version, args.limit)
    where = f"datasets.sets.{args.name}.evaluate"
    with (
        closing(chat_model(settings[0], _SECONDS, _SECONDS, f"{where}.{args.model}")) as tuned,
        closing(chat_model(settings[1], _SECONDS, _SECONDS, f"{where}.{args.base}")) as base,
    ):
        found = compared(asked, tuned, base, min(_AT_A_TIME, *(each.parallel for each in settings)))
    if args.json:
        print(to_json({"dataset": version.dataset, "version": version.version, **_body(found)}))
    else:
        _tell(found, f"{version.dataset} {version.version}")
    return 0


def _settings(one: Dataset, name: str, wanted: str) -> Asked:
    if wanted not in one.evaluate:
        expected = f"one of the models {', '.join(sorted(one.evaluate))}" if one.evaluate else "models"
        todo = "Name it there: `evaluate: {tuned: {provider: bedrock, model: ...}, base: {...}}`."
        raise ConfigError(where=f"datasets.sets.{name}.evaluate", expected=expected, found=wanted, todo=todo)
    return one.evaluate[wanted]


def _body(found: Compared) -> dict[str, Any]:
    apart: dict[str, Any] = {"overlap": asdict(found.by_overlap)}
    apart |= {name: {"tuned_only": one, "base_only": other} for name, (one, other) in found.by_rate.items()}
    sides = {"tuned": _side(found.tuned), "base": _side(found.base)}
    return {"questions": found.questions, **sides, "difference": apart}


def _side(one: Side) -> dict[str, Any]:
    rates = {name: {"value": each.value, "low": each.low, "high": each.high} for name, each in one.rates.items()}
    return {**asdict(one), "rates": rates}


def _tell(found: Compared, version: str) -> None:
    few = f"; fewer than {LEAST}, too few to trust" if found.questions < LEAST else ""
    print(f"{version}: {number(found.questions)} questions of the test split{few}\n")
    tuned, base, apart = found.tuned, found.base, found.by_overlap
    interval = "" if apart.low is None else f" ({apart.low:+.3f} to {apart.high:+.3f})"
    rows = [
        (
            "words in common, F1", f"{tuned.overlap:.3f}", f"{base.overlap:.3f}",
            f"{apart.mean:+.3f}{interval}; better in {apart.better}, worse in {apart.worse}",
        )
    ]  # fmt: skip
    for name in RATES:
        alone, other = found.by_rate[name]
        rows.append((_WORDS[name], _share(tuned.rates[name]), _share(base.rates[name]), f"{alone} to {other}"))
    for name in ("p50", "p95"):
        rows.append((f"latency {name}", duration(getattr(tuned, name)), duration(getattr(base, name)), ""))
    for name in ("input_tokens", "output_tokens"):
        words = name.replace("_", " ")
        rows.append((words, number(getattr(tuned, name)), number(getattr(base, name)), ""))
    print(aligned(("measure", tuned.model, base.model, "tuned against base"), rows, widest=80))
    print(
        "\nShares with Wilson's interval of 95 %; `3 to 1`: true of the tuned one alone 3 times, of the base alone 1."
    )


_WORDS = {"exact": "the same words", "refused": "refused", "error": "errors", "cut": "cut off"}


def _share(one: Rate) -> str:
    return "-" if one.value is None else f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})"
