"""Measures are summed between reports, kept while a service is away, and heartbeats end with a stuck batch."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from headrace.config_metrics import Metrics
from headrace.errors import Unreachable
from headrace.pipelines.telemetry import UNITS, Telemetry, age, heartbeat_text


class Sink:
    def __init__(self, fail=0):
        self.fail, self.reports, self.closed = fail, [], False

    def put(self, measured):
        if self.fail:
            self.fail -= 1
            raise Unreachable(expected="an answer", found="none", todo="It is sent later.")
        self.reports.append({(one.source, one.metric): one for one in measured})

    def close(self):
        self.closed = True


def test_what_is_observed_between_two_reports_is_one_set_of_statistics():
    sink = Sink()
    telemetry = Telemetry(Metrics(), [sink])
    for seconds, rows in ((2.0, 10), (5.0, 0), (1.0, 7)):
        telemetry.observe("apply_changes", "shop", BatchSeconds=seconds, RowsApplied=rows, FreshnessSeconds=None)
    telemetry.close()
    [report] = sink.reports
    batch, rows = report["shop", "BatchSeconds"], report["shop", "RowsApplied"]
    assert (batch.count, batch.total, batch.low, batch.high, batch.last) == (3, 8.0, 1.0, 5.0, 1.0)
    assert (rows.count, rows.total, rows.low, rows.high) == (3, 17, 0, 10)
    assert ("shop", "FreshnessSeconds") not in report and sink.closed


def test_every_metric_has_a_unit():
    sink = Sink()
    telemetry = Telemetry(Metrics(), [sink])
    telemetry.observe("j", "s", **dict.fromkeys(UNITS, 1.0))
    telemetry.close()
    assert {metric for _, metric in sink.reports[0]} == set(UNITS)


def test_what_a_service_did_not_take_is_sent_later_and_to_that_one_alone():
    away, there = Sink(fail=1), Sink()
    telemetry = Telemetry(Metrics(), [away, there])
    telemetry.observe("j", "s", RowsApplied=3)
    telemetry._send()
    telemetry.observe("j", "s", RowsApplied=4)
    telemetry.close()
    assert [report["s", "RowsApplied"].total for report in away.reports] == [7]
    assert [report["s", "RowsApplied"].total for report in there.reports] == [3, 4]


def test_a_heartbeat_goes_on_while_a_batch_runs_and_ends_when_it_is_stuck():
    sink, beats = Sink(), []
    telemetry = Telemetry(
        Metrics(stuck_after=timedelta(hours=1)), [sink], lambda job, found: beats.append((job, sorted(found)))
    )
    telemetry.alive("j", "idle")
    telemetry.working("j", "busy")
    telemetry._send()
    telemetry._send()
    assert beats == [("j", ["busy", "idle"]), ("j", ["busy"])]
    telemetry._stuck = 0.0
    telemetry._send()
    assert len(beats) == 2 and len(sink.reports) == 2
    telemetry.alive("j", "busy")
    telemetry._send()
    assert beats[-1] == ("j", ["busy"])


def test_a_store_that_lacks_something_lags_until_it_is_in_step(monkeypatch):
    clock = iter([100.0, 130.0, 150.0, 160.0])
    monkeypatch.setattr("headrace.pipelines.telemetry.time.monotonic", lambda: next(clock))
    sink = Sink()
    telemetry = Telemetry(Metrics(), [sink])
    lags = []
    for behind in (True, True, False, True):
        telemetry.behind("j", "main", behind)
        lags.append(telemetry._pending[0][1]["j", "main", "LagSeconds"].last)
    assert lags == [0.0, 30.0, 0.0, 0.0]


def test_heartbeats_of_other_sources_are_kept():
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first = heartbeat_text("run-1", None, {"a": at, "b": at})
    rows = json.loads(heartbeat_text("run-2", first, {"b": at + timedelta(minutes=1)}))
    assert rows == {
        "a": {"at": "2026-01-02T03:04:05+00:00", "run": "run-1"},
        "b": {"at": "2026-01-02T03:05:05+00:00", "run": "run-2"},
    }


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=1)])
def test_an_age_is_never_negative(ahead):
    assert age(None) is None
    assert 0.0 <= age(datetime.now(UTC) + ahead) < 60
    assert 3590 < age(datetime.now() - timedelta(hours=1)) < 3700
