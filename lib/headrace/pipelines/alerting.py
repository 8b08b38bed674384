"""Judges rules over the lake's measures and tells what they find. For `track_feedback`, and for `headrace alerts`."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.config import Config
from headrace.config_alerts import Alerts, Rule
from headrace.conversations.alert_known import check, is_share, minutes_sql
from headrace.conversations.alert_rules import Verdict, judge, lookback
from headrace.conversations.alert_series import Minute, Series
from headrace.conversations.alert_state import State, decided, from_json, taken, to_json, without_old
from headrace.conversations.alerts import Replayed, alert, newest_minute, replayed, told
from headrace.conversations.measures import Measure
from headrace.errors import Fatal, HeadraceError
from headrace.pipelines.measure_names import measures_of
from headrace.ports_alerts import AlertSink
from headrace.stores.delta_reader import DeltaReader
from headrace.stores.files import LakeFiles

MEASURES = "measures"
FOLDER = "alerts"
"""Of the lake: one file for each rule, which says what was told. Whoever tells is its only writer."""
Rows = Callable[[str], Iterable[Mapping[str, Any]]]
"""Rows of a query over the table `measures`, called `rows` in it."""
_LOG = logging.getLogger("headrace.alerts")


def rows_of_lake(root: str) -> Rows:
    """Reads through delta-rs; each query sees the table's newest version."""
    return lambda sql: DeltaReader(root).query(MEASURES, sql)


def of_config(config: Config, sinks: Mapping[str, AlertSink], rows: Rows | None = None) -> "Alerting":
    """One over the settings' lake. Raises as `Alerting` does.

    Args:
        rows: through delta-rs where not given; a job with Spark hands its own.
    """
    return Alerting(
        config.alerts, measures_of(config), rows or rows_of_lake(config.lake), LakeFiles(config.lake), sinks
    )


class Alerting:
    """Judges each rule once a minute.

    Args:
        measures: every measure there is, by name.
        rows: reads the table of measures.
        files: of the lake.
        sinks: every output by name, from `stores.alert_sinks`.

    Raises ConfigError where a rule does not fit its measure.
    """

    def __init__(
        self,
        settings: Alerts,
        measures: Mapping[str, Measure],
        rows: Rows,
        files: LakeFiles,
        sinks: Mapping[str, AlertSink],
    ) -> None:
        check(settings.rules, measures)
        self._settings, self._measures, self._rows = settings, measures, rows
        self._files, self._sinks = files, sinks
        self._judged: datetime | None = None

    def after_batch(self, now: datetime) -> list[Verdict]:
        """Judge the newest minute that has settled and tell what is found; nothing where that was done already.

        An output that does not answer is logged and asked again the next time. No error of one rule keeps the others
        from being judged, and none ends the job.
        """
        at = newest_minute(now, self._settings.settle)
        if self._judged is not None and at <= self._judged:
            return []
        found = []
        for name, rule in self._settings.rules.items():
            try:
                found.append(self._step(name, rule, at, now))
            except HeadraceError as error:
                _LOG.error("rule %s was not judged: %s", name, error)
        self._judged = at
        return found

    def verdicts(self, now: datetime) -> list[Verdict]:
        """What the rules say of the newest minute that has settled. Tells nobody."""
        at = newest_minute(now, self._settings.settle)
        return [self._judge(name, rule, at) for name, rule in self._settings.rules.items()]

    def replay(self, start: datetime, end: datetime) -> list[Replayed]:
        """What each rule would have done from `start` up to `end`, on the minutes as they are now. Tells nobody."""
        found = []
        for name, rule in self._settings.rules.items():
            series = self._series(rule, start - lookback(rule), end)
            share = is_share(self._measures[rule.measure])
            found.append(replayed(name, rule, series, start, end, share=share))
        return found

    def state(self, rule: str) -> State:
        """What is remembered of a rule. Raises Fatal where its file is none of ours."""
        text = self._files.read_text(_file(rule))
        if text is None:
            return State()
        try:
            return from_json(text)
        except ValueError as error:
            todo = "Delete the file: the rule then begins anew, and may tell once what was told already."
            found = str(error)[:200]
            raise Fatal(where=_file(rule), expected="what was told of a rule", found=found, todo=todo) from None

    def _step(self, name: str, rule: Rule, at: datetime, now: datetime) -> Verdict:
        verdict, before = self._judge(name, rule, at), self.state(name)
        state = without_old(before, now)
        if told(rule, verdict, state.last):
            state = decided(state, alert(rule, verdict), rule.send)
        if state != before:
            self._files.replace_text(_file(name), to_json(state))
        self._send(name, state)
        return verdict

    def _send(self, rule: str, state: State) -> None:
        for one in state.open:
            for output in one.to:
                sink = self._sinks.get(output)
                try:
                    if sink is not None:
                        sink.send(one.alert)
                except HeadraceError as error:
                    _LOG.error("alert %s of rule %s was not told: %s", one.alert.id, rule, error)
                    continue
                # An output that the settings name no more takes what was meant for it.
                state = taken(state, one.alert, output)
                self._files.replace_text(_file(rule), to_json(state))

    def _judge(self, name: str, rule: Rule, at: datetime) -> Verdict:
        series = self._series(rule, at - lookback(rule), at)
        return judge(name, rule, series, at, share=is_share(self._measures[rule.measure]))

    def _series(self, rule: Rule, since: datetime, until: datetime) -> Series:
        # A replay judges windows that end up to a minute after its last one begins.
        rows = self._rows(minutes_sql(rule, since, until + timedelta(minutes=1)))
        return Series([_minute(row) for row in rows])


def _file(rule: str) -> str:
    return f"{FOLDER}/{rule}.json"


def _minute(row: Mapping[str, Any]) -> Minute:
    found = row["buckets"] or {}
    buckets = dict(found.items() if isinstance(found, Mapping) else found)
    # Spark hands out times without a zone, in the machine's own, which `astimezone` takes them for.
    at = row["minute"].astimezone(UTC)
    return Minute(at, row["numerator"] or 0.0, row["denominator"] or 0.0, row["n"] or 0, buckets)
