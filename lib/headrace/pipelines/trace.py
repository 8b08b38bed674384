"""The story of one row: every event that arrived for its key, what each of them did, and what the lake holds now."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from headrace.config import Config, Table
from headrace.errors import ConfigError
from headrace.pipelines.batch_records import BatchRecords, batch_records, is_complete
from headrace.pipelines.events import Event, place_of
from headrace.pipelines.key_hints import how_to_write
from headrace.pipelines.logged_events import in_batches, logged_events
from headrace.pipelines.table_names import check_plain, unknown_table
from headrace.pipelines.tables_view import LakeView, by_key, key_forms
from headrace.pipelines.verdicts import Known, judge
from headrace.stores.delta_reader import ROWS, literal
from headrace.tables import CHANGES_LOG, HISTORY, POSITION, REJECTS, TABLES, TOMBSTONES, TRUNCATES

UNRESOLVED = "unresolved value"
"""The reason of rejects that were applied all the same, but for a value."""
_REJECT_COLUMNS = ("rejected_at", "reason", "detail", "position", "source", "origin", "batch")


@dataclass(frozen=True, slots=True)
class Story:
    """Everything known of one row.

    Attributes:
        row: the current row with its system columns; None where no row lives under the key.
        events: in the order they were taken in, truncates of the table among them.
        tombstones, truncates: floors, newest first. history: intervals, oldest first.
        rejects: refused events of the key, and what became of them is in `events` too.
        notes: what the story cannot tell, and why.
        derived: the row is computed from rows of other tables, so no event is its own.
    """

    table: str
    key: list[str]
    row: dict[str, Any] | None
    events: list[Event]
    tombstones: list[dict[str, Any]]
    truncates: list[dict[str, Any]]
    history: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    derived: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; its keys are the attributes' names."""
        return asdict(self)


def trace(config: Config, table: str, key: str, view: LakeView | None = None) -> Story:
    """Collect the story of one row.

    Args:
        key: one value, or a JSON array for a key of several columns.

    Raises:
        ConfigError: the table or the key's shape is not right.
    """
    view = view or LakeView(config)
    if table in config.derive:
        return _of_derived(view, table, key)
    settings = _settings(view, table)
    columns = {column["source"]: column for column in view.schema(table)}
    names = [columns[source]["name"] if source in columns else source for source in settings.key]
    kinds = [columns[source]["type"] if source in columns else "string" for source in settings.key]
    forms = _forms(view, table, key, names, kinds)
    story = _gathered(view, table, forms, names)
    logged = view.query(CHANGES_LOG.path, _of_key(table, forms, "arrived_at", truncates=True))
    records = batch_records(view, table)
    events = logged_events(config, logged, records)
    partial = any(column["partial"] for column in columns.values())
    known = _known(story, settings.drop, partial, is_complete(view, table, records))
    judged, leads_to = judge(in_batches(events, story.tombstones, story.truncates, records), known)
    notes = list(_notes(view, story, judged, leads_to, records))
    if not _arrived(story, judged):
        notes += _nothing_known(view, table, forms, names)
    rejects = [{name: reject[name] for name in _REJECT_COLUMNS} for reject in story.rejects]
    return replace(story, events=judged, rejects=rejects, notes=notes)


def _of_derived(view: LakeView, table: str, key: str) -> Story:
    """What is known of a derived row: itself, its deletes, what was refused."""
    names, columns = view.config.derive[table].key, dict(view.columns(TABLES.format(table=table)))
    kinds = [columns.get(name, "string") for name in names]
    forms = _forms(view, table, key, names, kinds)
    story = replace(_gathered(view, table, forms, names), derived=True)
    notes = [f"derive.{table}.sql computes this row from others; `headrace trace` of those tells their events."]
    if not columns:
        notes.append(f"{table} is not in the lake yet: it is made once all of its base tables are.")
    elif not (story.row or story.tombstones or story.rejects):
        notes.append(how_to_write(view, table, names, names))
    rejects = [{name: reject[name] for name in _REJECT_COLUMNS} for reject in story.rejects]
    return replace(story, rejects=rejects, notes=notes)


def _gathered(view: LakeView, table: str, forms: list[str], names: Sequence[str]) -> Story:
    """All but the events."""
    rows = by_key(view, TABLES.format(table=table), names, forms, POSITION)
    return Story(
        table,
        forms,
        rows[-1] if rows else None,
        [],
        view.query(TOMBSTONES.path.format(table=table), _newest_first(f"key IN ({_listed(forms)})")),
        view.query(TRUNCATES.path, _newest_first(f"`table` = {literal(table)}")),
        by_key(view, HISTORY.format(table=table), names, forms, "_valid_from"),
        view.query(REJECTS.path.format(job="apply_changes"), _of_key(table, forms, "rejected_at")),
    )


def _settings(view: LakeView, table: str) -> Table:
    settings = view.config.tables.get(table)
    if settings is not None:
        return settings
    check_plain("TABLE", table)
    if view.exists(TABLES.format(table=table)):
        found = f"{table}, which is in the lake and no longer in the settings"
        todo = f"Add it to the settings; `headrace table {table}` shows its rows."
        raise ConfigError(where="TABLE", expected="a table of the settings", found=found, todo=todo)
    raise unknown_table("TABLE", table, list(view.config.keys()))


def _forms(view: LakeView, table: str, key: str, names: Sequence[str], kinds: Sequence[str]) -> list[str]:
    try:
        return key_forms(key, kinds)
    except ConfigError as error:
        todo = how_to_write(view, table, view.config.keys()[table], names)
        raise ConfigError(where=error.where, expected=error.expected, found=error.found, todo=todo) from None


def _known(story: Story, dropped: Sequence[str], partial: bool, complete: bool) -> Known:
    row = story.row[POSITION] if story.row else None
    return Known(
        current=row,
        refusals={
            place_of(reject["source"], reject["origin"]): f"{reject['reason']}: {reject['detail']}"
            for reject in story.rejects
            if reject["reason"] != UNRESOLVED
        },
        applied={interval["_valid_from"] for interval in story.history} | ({row} if row else set()),
        deleting={stone["position"] for stone in story.tombstones},
        dropped=dropped,
        partial=partial,
        complete=complete,
    )


def _notes(
    view: LakeView, story: Story, events: Sequence[Event], leads_to: str, records: BatchRecords
) -> Iterable[str]:
    log, row = view.config.log, story.row
    if not log.enabled:
        yield "changes_log is switched off (log.enabled: false), so the events cannot be told."
    elif not view.exists(CHANGES_LOG.path):
        yield "There is no changes_log yet: nothing has been taken in."
    elif row and all(event.position != row[POSITION] for event in events):
        yield f"The event that made this row is not in changes_log, which is kept for {log.keep.days} days."
    elif leads_to != (row[POSITION] if row else ""):
        replayed = f"; {records.replayed} messages of the table were replayed" if records.replayed else ""
        yield (
            "The events do not lead to what the lake holds. A batch may be running, or a replay changed the row: "
            f"replays are not in changes_log{replayed}."
        )


def _arrived(story: Story, events: Iterable[Event]) -> bool:
    return bool(
        story.row
        or story.tombstones
        or story.history
        or story.rejects
        or any(event.op != "truncate" for event in events)
    )


def _nothing_known(view: LakeView, table: str, forms: Sequence[str], names: Sequence[str]) -> Iterable[str]:
    if not view.exists(CHANGES_LOG.path) and not view.exists(TABLES.format(table=table)):
        return
    yield f"Nothing ever arrived for this key, as far as the log reaches. Looked for: {', '.join(forms)}."
    yield how_to_write(view, table, view.config.tables[table].key, names)


def _newest_first(condition: str) -> str:
    return f"SELECT * FROM {ROWS} WHERE {condition} ORDER BY position DESC"


def _of_key(table: str, forms: list[str], order: str, *, truncates: bool = False) -> str:
    of_key = f"key IN ({_listed(forms)})" + (" OR op = 'truncate'" if truncates else "")
    place = ", ".join(f"origin['{name}']" for name in ("stream", "partition", "offset", "part"))
    return f"SELECT * FROM {ROWS} WHERE `table` = {literal(table)} AND ({of_key}) ORDER BY {order}, {place}"


def _listed(forms: list[str]) -> str:
    return ", ".join(literal(form) for form in forms)
