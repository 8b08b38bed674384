"""How turns, ratings and their measures are doing, read from the lake and the sources without Spark."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headrace.config import Config
from headrace.conversations.schema import WORDS
from headrace.errors import HeadraceError
from headrace.pipelines import alerting
from headrace.pipelines.erasing import Erasures
from headrace.pipelines.knowledge_status import refused
from headrace.pipelines.lag import Checkpoint, Lag, checkpoint_folder, lag
from headrace.pipelines.publish_progress import Behind, behind
from headrace.pipelines.tables_view import LakeView
from headrace.ports_measures import AHEAD, time_sql
from headrace.stores.delta_reader import ROWS, literal
from headrace.tables import MEASURES, RATINGS, SETTLED_BEFORE, TURNS

JOB = TURNS.owner


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """How far the job has read a source. `batch`: its newest that is done; None before the first."""

    lag: Lag
    batch: int | None


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """What a rule of alerts says of the newest minutes: `fires`, `calm` or why it cannot tell.

    Attributes:
        numbers: what was compared.
        last: the window's end of its newest alert; None before the first.
    """

    says: str
    numbers: dict[str, float]
    last: datetime | None


@dataclass(frozen=True, slots=True)
class FeedbackStatus:
    """The whole. Turns and ratings are those that were not withdrawn and have not left.

    Attributes:
        newest_turn, newest_rating: by their own time; what lies ahead of now is left out.
        unscored: comments that wait for sentiment; None where nothing tells it.
        settled_before: no event from before then is taken; None where none has left yet.
        newest_minute: of the measures. counted_at: when one of them changed last.
        rejects: as in `status.Status`.
        rules: of alerts, by name. why: what keeps them from being judged.
        open_erasures: names of the requests that the job has yet to carry out.
        behind: stores that measures are published to and that have not got all of them, by name.
    """

    sources: dict[str, ReaderStatus]
    turns: int
    ratings: int
    newest_turn: datetime | None
    newest_rating: datetime | None
    unscored: int | None
    settled_before: datetime | None
    newest_minute: datetime | None
    counted_at: datetime | None
    rejects: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, RuleStatus] = field(default_factory=dict)
    why: str = ""
    open_erasures: list[str] = field(default_factory=list)
    behind: dict[str, Behind] = field(default_factory=dict)


def feedback_status(config: Config, view: LakeView, now: datetime) -> FeedbackStatus | None:
    """None where the settings know no feedback. A source that cannot be asked has an unknown lag and the reason."""
    if config.feedback is None:
        return None
    border = view.properties(TURNS.path).get(SETTLED_BEFORE)
    erasures = Erasures(view.files, JOB, config)
    erasures.refresh()
    rules, why = _rules(config, view, now)
    return FeedbackStatus(
        sources={name: _reader(config, name) for name in config.feedback.sources},
        turns=view.count(TURNS.path),
        ratings=view.count(RATINGS.path),
        newest_turn=_newest(view, TURNS.path, "at", now),
        newest_rating=_newest(view, RATINGS.path, "at", now),
        unscored=None if config.feedback.sentiment == "none" else _unscored(view),
        settled_before=datetime.fromisoformat(border) if border else None,
        newest_minute=_newest(view, MEASURES.path, "minute", now),
        counted_at=_newest(view, MEASURES.path, "counted_at", now),
        rejects=refused(view, JOB),
        rules=rules,
        why=why,
        open_erasures=[one.name for one in erasures.open()],
        behind=behind(view.files, list(config.feedback.publish)),
    )


def _reader(config: Config, source: str) -> ReaderStatus:
    folder = checkpoint_folder(config, source, JOB)
    return ReaderStatus(lag(config, source, [folder]), Checkpoint(folder).committed())


def _unscored(view: LakeView) -> int:
    words = ", ".join(map(literal, WORDS))
    found = view.query(RATINGS.path, f"SELECT count(*) AS n FROM {ROWS} WHERE kind IN ({words}) AND felt_of IS NULL")
    return int(found[0]["n"]) if found else 0


def _newest(view: LakeView, relative: str, column: str, now: datetime) -> datetime | None:
    sql = f"SELECT max({column}) AS newest FROM {ROWS} WHERE {column} <= {time_sql(now + AHEAD)}"
    found = view.query(relative, sql)
    newest: datetime | None = found[0]["newest"] if found else None
    return newest


def _rules(config: Config, view: LakeView, now: datetime) -> tuple[dict[str, RuleStatus], str]:
    """What rules say; without any where they cannot be judged, and why."""
    if not config.alerts.rules:
        return {}, ""
    try:
        judge = alerting.of_config(config, {}, lambda sql: view.query(MEASURES.path, sql))
        found = judge.verdicts(now)
        return {one.rule: RuleStatus(one.why, dict(one.numbers), judge.state(one.rule).last) for one in found}, ""
    except HeadraceError as error:
        return {}, str(error)
