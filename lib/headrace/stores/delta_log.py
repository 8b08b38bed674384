"""Counts the rows of a Delta table from its log alone: no data file is opened, whatever features the table uses."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from headrace.stores.files import LakeFiles

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.(?:parquet|(\d{10})\.(\d{10})\.parquet)")


def row_count(files: LakeFiles, table: str) -> int | None:
    """Rows of a table: what its files hold, less what deletion vectors took out.

    Returns None where there is no such table, or where a file came without statistics.
    """
    log = f"{table}/_delta_log"
    names = files.names(log)
    version, parts = newest_checkpoint(names)
    commits = [name for name in names if (found := _COMMIT.fullmatch(name)) and int(found[1]) > version]
    if not commits and version < 0:
        return None
    live: dict[str, int | None] = {}
    for part in parts:
        live.update(_from_checkpoint(files.read_bytes(f"{log}/{part}") or b""))
    for name in commits:
        _follow(live, files.read_text(f"{log}/{name}") or "")
    counts = list(live.values())
    return None if None in counts else sum(count for count in counts if count is not None)


def newest_checkpoint(names: list[str]) -> tuple[int, list[str]]:
    """Version and files of the newest whole checkpoint among the names of a log; -1 and none where there is none."""
    found: dict[int, dict[int, str]] = {}
    sizes: dict[int, int] = {}
    for name in names:
        match = _CHECKPOINT.fullmatch(name)
        if match:
            version = int(match[1])
            found.setdefault(version, {})[int(match[2] or 1)] = name
            sizes[version] = int(match[3] or 1)
    whole = [version for version, parts in found.items() if len(parts) == sizes[version]]
    newest = max(whole, default=-1)
    return newest, list(found.get(newest, {}).values())


def _from_checkpoint(content: bytes) -> Iterator[tuple[str, int | None]]:
    import pyarrow.parquet as parquet

    table = parquet.read_table(io.BytesIO(content), columns=["add"])
    for (add,) in zip(table.column("add").to_pylist(), strict=True):
        if add is not None:
            yield add["path"], _rows(add)


def _follow(live: dict[str, int | None], commit: str) -> None:
    actions = [json.loads(line) for line in commit.splitlines() if line.strip()]
    # A new deletion vector comes as a remove and an add of the same file, in any order.
    for action in actions:
        if action.get("remove"):
            live.pop(action["remove"]["path"], None)
    for action in actions:
        if action.get("add"):
            live[action["add"]["path"]] = _rows(action["add"])


def _rows(add: Mapping[str, Any]) -> int | None:
    stats = json.loads(add.get("stats") or "{}")
    deleted = add.get("deletionVector") or {}
    if "numRecords" not in stats:
        return None
    return int(stats["numRecords"]) - int(deleted.get("cardinality") or 0)
