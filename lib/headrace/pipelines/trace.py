"""The story of one row: every event that arrived for its key, what each of them did, and what the lake holds now."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.changes.envelope import Change, Message
from headrace.changes.formats import Decoder, decoder
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.pipelines.tables_view import LakeView, by_key, key_forms, no_table
from headrace.pipelines.verdicts import Event, judge
from headrace.stores.delta_reader import ROWS, literal
from headrace.tables import CHANGES_LOG, HISTORY, POSITION, REJECTS, TABLES, TOMBSTONES, TRUNCATES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Story:
    """Everything known of one row.

    Attributes:
        row: the current row with its system columns; None where no row lives under the key.
        events: in the order they arrived, truncates of the table among them.
        tombstones, truncates: floors, newest first. history: intervals, oldest first.
        rejects: refused events of the key, and what became of them is in `events` too.
        notes: what the story cannot tell, and why.
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
    settings = config.tables.get(table)
    if settings is None:
        raise no_table(view, table)
    columns = {column["source"]: column for column in view.schema(table)}
    names = [columns[source]["name"] if source in columns else source for source in settings.key]
    forms = key_forms(key, [columns[source]["type"] if source in columns else "string" for source in settings.key])
    rows = by_key(view, TABLES.format(table=table), names, forms, POSITION)
    history = by_key(view, HISTORY.format(table=table), names, forms, "_valid_from")
    tombstones = view.query(TOMBSTONES.path.format(table=table), _newest_first(f"key IN ({_listed(forms)})"))
    truncates = view.query(TRUNCATES.path, _newest_first(f"`table` = {literal(table)}"))
    rejects = view.query(REJECTS.path.format(job="apply_changes"), _of_key(table, forms, "rejected_at"))
    logged = view.query(CHANGES_LOG.path, _of_key(table, forms, "arrived_at", truncates=True))
    row = rows[-1] if rows else None
    applied = {interval["_valid_from"] for interval in history} | ({row[POSITION]} if row else set())
    events = judge(_events(config, logged), row[POSITION] if row else None, _refusals(rejects), applied)
    notes = list(_notes(view, config, table, events, row))
    rejects = [{name: reject[name] for name in _REJECT_COLUMNS} for reject in rejects]
    return Story(table, forms, row, events, tombstones, truncates, history, rejects, notes)


_REJECT_COLUMNS = ("rejected_at", "reason", "detail", "position", "source", "origin", "batch")


def _events(config: Config, logged: Iterable[dict[str, Any]]) -> list[Event]:
    decoders: dict[str, Decoder] = {}
    found: dict[tuple[Any, ...], Event] = {}
    for row in logged:
        origin = row["origin"] or {}
        place = (row["source"], *(origin.get(name) for name in ("stream", "partition", "offset", "part")))
        if place in found:
            # The same message in a later batch: a restart took it in again.
            continue
        change = _decoded(config, decoders, row, origin)
        found[place] = Event(
            number=0,
            source=row["source"],
            op=row["op"],
            position=row["position"],
            changed_at=row["changed_at"],
            arrived_at=row["arrived_at"],
            batch=row["batch"],
            origin=origin,
            values=dict(change.after) if change else None,
            partial=bool(change and change.sent is not None),
        )
    return list(found.values())


def _decoded(
    config: Config, decoders: dict[str, Decoder], row: dict[str, Any], origin: dict[str, Any]
) -> Change | None:
    name = row["source"]
    if name not in config.sources:
        return None
    if name not in decoders:
        decoders[name] = decoder(config.sources[name], Routes(config.tables_of(name)))
    headers = tuple((header["key"], header["value"]) for header in row["headers"] or ())
    arrived = (row["arrived_at"] - _EPOCH) // timedelta(microseconds=1) if row["arrived_at"] else 0
    place = (origin.get("stream") or "", origin.get("partition") or 0, origin.get("offset") or 0)
    found = decoders[name](Message(row["message_key"], row["message"], headers, *place, arrived))
    changes = [one for one in found if isinstance(one, Change) and one.op == row["op"]]
    return next((one for one in changes if one.position == row["position"]), changes[0] if len(changes) == 1 else None)


def _refusals(rejects: Iterable[dict[str, Any]]) -> dict[tuple[Any, ...], str]:
    return {_origin(reject): f"{reject['reason']}: {reject['detail']}" for reject in rejects}


def _origin(row: dict[str, Any]) -> tuple[Any, ...]:
    origin = row["origin"] or {}
    return (row["source"], *(origin.get(name) for name in ("stream", "partition", "offset", "part")))


def _notes(
    view: LakeView, config: Config, table: str, events: list[Event], row: dict[str, Any] | None
) -> Iterable[str]:
    if not config.log.enabled:
        yield "changes_log is switched off (log.enabled: false), so the events cannot be told."
    elif not view.exists(CHANGES_LOG.path):
        yield "There is no changes_log yet: nothing has been taken in."
    elif row and all(event.position != row[POSITION] for event in events):
        yield f"The event that made this row is not in changes_log, which is kept for {config.log.keep.days} days."
    if not events and not row and view.exists(TABLES.format(table=table)):
        yield "Nothing ever arrived for this key, as far as the log reaches. Is it written as the source writes it?"


def _newest_first(condition: str) -> str:
    return f"SELECT * FROM {ROWS} WHERE {condition} ORDER BY position DESC"


def _of_key(table: str, forms: list[str], order: str, *, truncates: bool = False) -> str:
    of_key = f"key IN ({_listed(forms)})" + (" OR op = 'truncate'" if truncates else "")
    place = ", ".join(f"origin['{name}']" for name in ("stream", "partition", "offset", "part"))
    return f"SELECT * FROM {ROWS} WHERE `table` = {literal(table)} AND ({of_key}) ORDER BY {order}, {place}"


def _listed(forms: list[str]) -> str:
    return ", ".join(literal(form) for form in forms)
