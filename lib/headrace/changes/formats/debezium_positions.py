"""Debezium's `source` block as position parts, one function per kind of database."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from headrace.ordering import position as positions
from headrace.ordering.position import UnreadablePosition

Parts = tuple[str, ...]
_ZERO_LSN = "0" * 20
_NO_RS_ID = "0" * 30


def parts(source: Mapping[str, Any], transaction: Any, *, snapshot: bool) -> Parts:
    """The parts of one event. A snapshot row without a log position gets zeros.

    Raises UnreadablePosition naming the field that is missing or wrong.
    """
    connector = source.get("connector")
    read = _BY_CONNECTOR.get(connector) if isinstance(connector, str) else _by_fields(source)
    if read is None:
        raise UnreadablePosition(
            f"expected a log position, found connector {str(connector)[:40]!r} without a known one"
        )
    return read(source, transaction, snapshot)


def is_zero(found: Parts) -> bool:
    """Whether no part says anything: the snapshot had no log position."""
    return all(not part.strip("0") for part in found)


def _postgres(source: Mapping[str, Any], transaction: Any, snapshot: bool) -> Parts:
    lsn = source.get("lsn")
    return (_ZERO_LSN if lsn is None and snapshot else positions.integer(_given(lsn, "lsn")),)


def _mysql(source: Mapping[str, Any], transaction: Any, snapshot: bool) -> Parts:
    file, pos = source.get("file"), source.get("pos")
    if snapshot and not file:
        return "0" * 10, _ZERO_LSN, "0" * 10
    number = str(_given(file, "file")).rpartition(".")[2]
    if not (number.isascii() and number.isdecimal()):
        raise UnreadablePosition("expected source.file to end in a number, e.g. mysql-bin.000003")
    row = source.get("row")
    return positions.integer(number, 10), positions.integer(_given(pos, "pos")), positions.integer(row or 0, 10)


def _sqlserver(source: Mapping[str, Any], transaction: Any, snapshot: bool) -> Parts:
    commit, change = source.get("commit_lsn"), source.get("change_lsn")
    if commit is None and not snapshot:
        _given(commit, "commit_lsn")
    serial = source.get("event_serial_no")
    return _lsn(commit), _lsn(change), positions.integer(serial or 0, 10)


def _lsn(value: Any) -> str:
    return _ZERO_LSN if value is None else positions.fixed_hex(str(value), 20)


def _oracle(source: Mapping[str, Any], transaction: Any, snapshot: bool) -> Parts:
    scn = source.get("scn")
    if scn is None and snapshot:
        scn = 0
    scn_part = positions.integer(_given(scn, "scn"))
    commit = source.get("commit_scn")
    # Under RAC commit_scn may list one value per redo thread, `scn:state:thread,...`.
    commit_part = scn_part if commit is None else positions.integer(re.split("[:,]", str(commit))[0])
    return scn_part, commit_part, _rs_id(source.get("rs_id")), positions.integer(source.get("ssn") or 0, 10)


def _rs_id(value: Any) -> str:
    """`0x000001.00012345.0124` in three groups of ten digits, so that its groups compare as numbers."""
    if value is None or not str(value).strip():
        return _NO_RS_ID
    groups = str(value).strip().lower().removeprefix("0x").split(".")
    if len(groups) > 3:
        raise UnreadablePosition("expected source.rs_id of at most three groups")
    return "".join(positions.fixed_hex(group, 10) for group in groups).rjust(30, "0")


def _mongodb(source: Mapping[str, Any], transaction: Any, snapshot: bool) -> Parts:
    # ts_ms should be milliseconds; nanoseconds were seen there as well. Events of one transaction share (ts, ord).
    ts = source.get("ts_ms")
    when = int(positions.integer(0 if ts is None and snapshot else _given(ts, "ts_ms")))
    while when >= 10**14:
        when //= 1_000
    inside = source.get("tord")
    if inside is None and isinstance(transaction, dict):
        inside = transaction.get("total_order")
    return (
        positions.integer(when),
        positions.integer(source.get("ord") or 0, 10),
        positions.integer(inside or 0, 10),
    )


def _given(value: Any, field: str) -> Any:
    if value is None or isinstance(value, bool):
        raise UnreadablePosition(f"expected source.{field}, found none")
    return value


Read = Callable[[Mapping[str, Any], Any, bool], Parts]
_BY_CONNECTOR: dict[str, Read] = {
    "postgresql": _postgres,
    "mysql": _mysql,
    "mariadb": _mysql,
    "sqlserver": _sqlserver,
    "db2": _sqlserver,
    "oracle": _oracle,
    "mongodb": _mongodb,
}


def _by_fields(source: Mapping[str, Any]) -> Read | None:
    """Old connectors did not name themselves, and flattened rows carry single fields."""
    if "lsn" in source:
        return _postgres
    if "file" in source and "pos" in source:
        return _mysql
    if "commit_lsn" in source:
        return _sqlserver
    if "scn" in source:
        return _oracle
    return _mongodb if "ord" in source and "ts_ms" in source else None
