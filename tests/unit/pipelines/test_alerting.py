"""Rules over a real Delta table of measures, read without Spark: judged once a minute, told once, replayed."""

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from headrace.cli import main
from headrace.config_alerts import Alerts
from headrace.config_measures import OwnMeasure
from headrace.conversations.alert_known import known
from headrace.conversations.latency import counted
from headrace.errors import ConfigError, Fatal, Unreachable
from headrace.pipelines.alerting import Alerting, _minute, rows_of_lake
from headrace.pipelines.measure_names import measures_of
from headrace.ports_alerts import Alert
from headrace.stores.files import LakeFiles
from unit.conversations.alert_worlds import MINUTE, NOW, WEEK, ago, steady
from unit.conversations.measure_tables import a_row, write

RULES = {
    "failing": {"rule": "threshold", "measure": "errors", "above": 0.1, "window": "10m", "send": ["ops", "log"]},
    "nova": {"rule": "threshold", "measure": "errors", "above": 0.1, "window": "10m", "slice": {"model": "nova's"}},
    "slow": {"rule": "threshold", "measure": "latency", "percentile": 0.95, "above": 5, "window": "10m"},
    "worse": {"rule": "change", "measure": "csat", "by": 0.5, "window": "10m"},
    "paid": {"rule": "threshold", "measure": "paid", "above": 3, "window": "10m", "at_least": 1},
}
OWN = {"paid": OwnMeasure(numerator="cost", denominator="1", dimensions=("model",), unit="euro")}
LATER = NOW + timedelta(minutes=2)
"""When the minute that ends at NOW has settled."""


class Taker:
    """An output that may be away."""

    def __init__(self) -> None:
        self.got: list[Alert] = []
        self.away = False

    def send(self, alert: Alert) -> None:
        if self.away:
            raise Unreachable(expected="an answer", found="none", todo="Wait.")
        self.got.append(alert)

    def close(self) -> None:
        pass


def alerting(lake: Path, *takers: Taker, rules: dict[str, object] = RULES) -> Alerting:
    outputs = {"ops": {"to": "log"}}
    settings = Alerts.model_validate({"rules": rules, "outputs": outputs})
    sinks = dict(zip(("ops", "log"), takers, strict=False))
    return Alerting(settings, known(OWN), rows_of_lake(str(lake)), LakeFiles(str(lake)), sinks)


@pytest.fixture
def fault(lake: Path) -> Path:
    """Errors of one model, in two slices; slow answers; fewer stars than a week ago; money spent."""
    write(lake, [
        a_row("errors", ago(3), 20, 60, model="nova's", language="en"),
        a_row("errors", ago(3), 20, 60, model="nova's", language="de"),
        a_row("errors", ago(3), 0, 60, model="small"),
        a_row("errors", NOW, 60, 60, model="small"),
        a_row("latency", ago(4), 900, 90, buckets=counted([1.0] * 81 + [9.0] * 9), model="small"),
        a_row("csat", ago(5) - WEEK, 90, 100, model="small"),
        a_row("csat", ago(5), 30, 100, model="small"),
        a_row("paid", ago(5), 40, 10, model="small"),
    ])  # fmt: skip
    return lake


def test_each_rule_reads_its_measure_slice_percentile_and_week(fault):
    found = {one.rule: one for one in alerting(fault).verdicts(LATER)}
    assert {name: one.why for name, one in found.items()} == dict.fromkeys(RULES, "fires")
    assert found["failing"].numbers["value"] == 40 / 180
    assert found["nova"].numbers["value"] == 40 / 120
    assert found["slow"].numbers["value"] == pytest.approx(9, rel=0.01)
    assert found["worse"].numbers["before"] == 0.9
    assert found["paid"].numbers == {"value": 4.0, "n": 10, "limit": 3.0}


def test_a_time_without_a_zone_is_of_this_machine_as_spark_gives_it(monkeypatch):
    row = {"numerator": 1.0, "denominator": 1.0, "n": 1, "buckets": None}
    try:
        monkeypatch.setenv("TZ", "America/New_York")
        time.tzset()
        without = datetime.fromtimestamp(NOW.timestamp())
        assert without.hour == 4
        assert {_minute(row | {"minute": at}).at for at in (without, NOW)} == {NOW}
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_measures_of_the_settings_stand_beside_the_shipped_ones():
    settings = SimpleNamespace(measures=OWN, dimensions=("tenant", "provider"))
    found = measures_of(SimpleNamespace(feedback=settings))
    assert set(found) == set(known({})) | {"paid"}
    assert found["cost"].dimensions == (*known({})["cost"].dimensions, "tenant", "provider")
    assert found["paid"].dimensions == known(OWN)["paid"].dimensions
    assert set(measures_of(SimpleNamespace(feedback=None))) == set(known({}))


def test_an_empty_lake_has_too_few_rows(lake):
    assert {one.why for one in alerting(lake).verdicts(LATER)} == {"too few"}


def test_an_alert_is_told_once_by_each_output_whatever_is_started_again(fault):
    ops, log = Taker(), Taker()
    one = alerting(fault, ops, log)
    assert len(one.after_batch(LATER)) == len(RULES)
    assert one.after_batch(LATER + timedelta(seconds=30)) == []
    alerting(fault, ops, log).after_batch(LATER)
    alerting(fault, ops, log).after_batch(LATER + MINUTE)
    assert [each.rule for each in ops.got] == ["failing"]
    assert sorted(each.rule for each in log.got) == sorted(RULES)
    assert one.state("failing").last == NOW and one.state("failing").open == ()


def test_an_output_that_is_away_gets_it_later_and_the_others_only_once(fault, caplog):
    ops, log = Taker(), Taker()
    ops.away = True
    one = alerting(fault, ops, log)
    one.after_batch(LATER)
    assert [each.to for each in one.state("failing").open] == [("ops",)]
    assert "was not told" in caplog.text
    ops.away = False
    alerting(fault, ops, log).after_batch(LATER + MINUTE)
    assert [each.at for each in ops.got] == [NOW]
    assert [each.rule for each in log.got].count("failing") == 1


def test_a_rule_that_cannot_be_judged_keeps_no_other_from_it(fault, caplog):
    (fault / "alerts").mkdir()
    (fault / "alerts" / "failing.json").write_text("nothing of ours")
    log = Taker()
    found = alerting(fault, Taker(), log).after_batch(LATER)
    assert "failing" not in [each.rule for each in found] and "nova" in [each.rule for each in log.got]
    assert "rule failing was not judged" in caplog.text
    with pytest.raises(Fatal, match="Delete the file"):
        alerting(fault).state("failing")


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ({"rule": "threshold", "measure": "eror", "above": 1}, "measure"),
        ({"rule": "threshold", "measure": "errors", "above": 1, "slice": {"person": "ada"}}, "slice"),
        ({"rule": "threshold", "measure": "errors", "above": 1, "percentile": 0.5}, "percentile"),
        ({"rule": "burn_rate", "measure": "latency", "budget": 0.5}, "measure"),
    ],
)
def test_a_rule_that_asks_for_what_there_is_not_is_refused_at_the_start(rule, key, lake):
    with pytest.raises(ConfigError, match=rf"alerts\.rules\.wrong\.{key}: expected"):
        alerting(lake, rules={"wrong": rule})


@pytest.fixture
def fortnight(lake: Path) -> Path:
    """Nine days, in whose last day an hour fails."""
    start = NOW - timedelta(days=9)

    def share(at):
        return 0.4 if NOW - timedelta(hours=6) <= at < NOW - timedelta(hours=5) else 0.02

    minutes = steady(start, 9 * 1440, share, 10, seed=7)
    write(lake, [a_row("errors", one.at, one.numerator, one.denominator, model="small") for one in minutes])
    return lake


def settings_file(lake: Path) -> str:
    file = lake.parent / "headrace.yaml"
    rules = {
        "failing": {"rule": "threshold", "measure": "errors", "above": 0.1, "certain": True},
        "burning": {"rule": "burn_rate", "measure": "errors", "budget": 0.02, "factor": 6},
    }
    feed = {"from": "files", "path": str(lake.parent / "in"), "format": "json", "position": ["at"]}
    settings = {"lake": str(lake), "sources": {"feed": feed}, "tables": {"users": {"source": "feed", "key": ["id"]}}}
    file.write_text(json.dumps(settings | {"alerts": {"rules": rules}}))
    return str(file)


def test_the_command_replays_and_finds_the_hour_that_failed(fortnight, capsys):
    file = settings_file(fortnight)
    window = [(NOW - timedelta(days=1)).isoformat(), NOW.isoformat()]
    assert main(["alerts", "--config", file, "--replay", *window, "--json"]) == 0
    found = {one["rule"]: one for one in json.loads(capsys.readouterr().out)}
    began = NOW - timedelta(hours=6)
    for name in ("failing", "burning"):
        first = found[name]["alerts"][0]["at"]
        assert began.isoformat() < first < (began + timedelta(minutes=30)).isoformat()
        assert found[name]["minutes"] == 1441
        assert all(one["at"] < (NOW - timedelta(hours=3)).isoformat() for one in found[name]["alerts"])
    assert main(["alerts", "--config", file, "--replay", *window]) == 0
    shown = capsys.readouterr().out
    assert "false-alarm rate" in shown and "burning" in shown
    assert not (fortnight / "alerts").exists()


def test_of_a_calm_day_a_replay_tells_nothing(fortnight, capsys):
    """Dice with a fixed seed: 2 % of some 7,500 turns fail, and two rules with an interval or two windows stay calm."""
    window = [(NOW - timedelta(days=2)).isoformat(), (NOW - timedelta(days=1)).isoformat()]
    assert main(["alerts", "--config", settings_file(fortnight), "--replay", *window, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["alerts"] for one in found] == [[], []]
    assert all(one["judged"] > 600 and one["firing_share"] == 0 for one in found)


def test_the_command_says_how_it_is_and_tells_only_when_asked_to(fortnight, capsys, caplog):
    file = settings_file(fortnight)
    within = (NOW - timedelta(hours=5, minutes=20)).isoformat()
    assert main(["alerts", "--config", file, "--at", within]) == 0
    assert "fires" in capsys.readouterr().out and not (fortnight / "alerts").exists()
    assert main(["alerts", "--config", file, "--at", within, "--send", "--json"]) == 0
    told = {one["rule"]: one for one in json.loads(capsys.readouterr().out)}
    assert told["burning"]["why"] == "fires" and told["burning"]["last"]
    # Two in ten ask at night: fifteen minutes of them say too little.
    assert told["failing"]["why"] == "too few" and told["failing"]["last"] is None
    assert [one.name for one in (fortnight / "alerts").iterdir()] == ["burning.json"]
    assert "burning: errors is" in caplog.text


def test_the_command_wants_rules_and_a_span(fortnight, capsys):
    file = settings_file(fortnight)
    assert main(["alerts", "--config", file, "--replay", "2026-11-26", "2026-11-25"]) == 2
    assert "--replay" in capsys.readouterr().err
