"""`headrace alerts`: what the rules say of the newest minutes, or with `--replay` would have said of past ones.

With `--json` a list of objects: `rule`, `at`, `why`, `numbers`, `last` (of the newest alert); of a replay `rule`,
`minutes`, `judged`, `fired`, `firing_share`, `alerts_a_week`, `alerts` (each with `at` and `numbers`).
"""

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime

from headrace.commands.options import TIMES, config_option, json_option, time_of
from headrace.commands.text import aligned, number, one_line, to_json
from headrace.config_file import load
from headrace.conversations.alert_rules import Verdict
from headrace.conversations.alerts import Replayed
from headrace.errors import ConfigError
from headrace.pipelines.alerting import Alerting, of_config
from headrace.stores.alert_sinks import alert_sinks, close


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add which minutes, and whether anybody is told."""
    parser.add_argument("--at", metavar="TIME", help=f"as if it were TIME: {TIMES}")
    parser.add_argument(
        "--send", action="store_true", help="tell what is found, as the job does; not while a job does it"
    )
    parser.add_argument("--replay", nargs=2, metavar=("FROM", "TO"), help="how often each rule would have told")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print verdicts; 0 also where a rule fires."""
    config = load(args.config)
    if not config.alerts.rules:
        todo = "Name some under alerts.rules; docs/alerts.md has one of each kind."
        raise ConfigError(where="alerts.rules", expected="rules", found="none", todo=todo)
    if args.replay:
        return _replayed(of_config(config, {}), args)
    now = time_of("--at", args.at) or datetime.now(UTC)
    if not args.send:
        alerting = of_config(config, {})
        return _said(alerting, alerting.verdicts(now), args.json)
    sinks = alert_sinks(config.alerts.outputs)
    try:
        alerting = of_config(config, sinks)
        return _said(alerting, alerting.after_batch(now), args.json)
    finally:
        close(sinks)


def _said(alerting: Alerting, verdicts: list[Verdict], as_json: bool) -> int:
    states = {one.rule: alerting.state(one.rule) for one in verdicts}
    if as_json:
        found = [
            {"rule": one.rule, "at": one.at, "why": one.why, "numbers": one.numbers, "last": states[one.rule].last}
            for one in verdicts
        ]
        print(to_json(found))
        return 0
    rows = [(one.rule, one.why, _numbers(one.numbers), states[one.rule].last or "never") for one in verdicts]
    print(aligned(("rule", "says", "numbers", "last told"), rows, widest=100))
    if verdicts:
        print(f"\nof the minutes up to {one_line(verdicts[0].at)} UTC")
    return 0


def _replayed(alerting: Alerting, args: argparse.Namespace) -> int:
    start, end = (time_of("--replay", one) for one in args.replay)
    if start is None or end is None or start >= end:
        todo = "For example `--replay 7d 0s`, or two times."
        raise ConfigError(where="--replay", expected="a time before another", found=" ".join(args.replay), todo=todo)
    found = alerting.replay(start, end)
    if args.json:
        print(to_json([_body(one) for one in found]))
        return 0
    headers = ("rule", "minutes", "judged", "fired", "firing share", "alerts", "a week", "the first")
    print(aligned(headers, [_row(one) for one in found], widest=60))
    print("\nOf data known to be calm, the firing share is the false-alarm rate. Minutes are as they are known now.")
    return 0


def _row(one: Replayed) -> tuple[object, ...]:
    share, weekly = one.firing_share, one.alerts_a_week
    return (
        one.rule, number(one.minutes), number(one.judged), number(one.fired),
        "-" if share is None else f"{share:.3%}", number(len(one.alerts)), "-" if weekly is None else f"{weekly:.1f}",
        one.alerts[0].at if one.alerts else "-",
    )  # fmt: skip


def _body(one: Replayed) -> dict[str, object]:
    alerts = [{"at": each.at, "numbers": each.numbers} for each in one.alerts]
    return {
        "rule": one.rule, "minutes": one.minutes, "judged": one.judged, "fired": one.fired,
        "firing_share": one.firing_share, "alerts_a_week": one.alerts_a_week, "alerts": alerts,
    }  # fmt: skip


def _numbers(numbers: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:.4g}" for name, value in numbers.items()) or "-"
