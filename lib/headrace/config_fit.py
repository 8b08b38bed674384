"""What no single part of the settings can see: whether sources, tables and the lake fit together."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from headrace.config_base import FIRST, Contradiction, unknown_name
from headrace.config_knowledge import FolderFeed
from headrace.config_sources import FilesSource

if TYPE_CHECKING:
    from headrace.config import Config

_ONE_TABLE = frozenset({"json", "snapshot"})
"""Formats whose rows do not say which table they are of; `table:` names the column that does."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/+")
_SCHEMES = ("s3://", "s3a://", "file:///", "file:/", "dbfs:/")
TABLE_FOLDERS = frozenset(
    ["tables", "tombstones", "truncates", "history", "versions", "changed_keys", "changes_log", "rejects", "schemas",
     "batches", "reached", "documents", "chunks", "vectors", "passages", "outbox", "identifiers", "people",
     "aliases", "identity_events", "quarantine", "profiles", "behaviour", "placed", "answers", "turns", "ratings",
     "counted", "measures", "datasets", "erasures", "suppressed"]
)  # fmt: skip


def left_out(given: Mapping[str, Any]) -> Iterator[Contradiction]:
    """What settings cannot do without: something to do, and sources for tables."""
    if not given.get("tables") and given.get("knowledge") is None and given.get("feedback") is None:
        yield Contradiction("tables", "tables by name, or knowledge", "nothing", FIRST["tables"])
    if given.get("tables") and not given.get("sources"):
        yield Contradiction("sources", "sources by name", "nothing", FIRST["sources"])


def misfits(config: "Config") -> Iterator[Contradiction]:
    """Every contradiction between sources, tables and the lake."""
    yield from _sources_exist(config)
    yield from _known_schemes(config)
    yield from _lake_apart(config)
    yield from _checkpoints_apart(config)
    yield from _one_folder_each(config)
    yield from _one_table_each(config)
    yield from _rows_name_their_table(config)
    yield from _horizons(config)


def in_words(duration: timedelta) -> str:
    """A duration as the settings write it: `7 days`, `36h`, `90s`."""
    seconds = int(duration.total_seconds())
    if seconds and seconds % 86400 == 0:
        return f"{seconds // 86400} days"
    return f"{seconds // 3600}h" if seconds and seconds % 3600 == 0 else f"{seconds}s"


def _sources_exist(config: "Config") -> Iterator[Contradiction]:
    known = sorted(config.sources)
    for name, table in config.tables.items():
        if table.source not in config.sources:
            yield unknown_name(f"tables.{name}.source", table.source, "sources", known)


def _lake_apart(config: "Config") -> Iterator[Contradiction]:
    folders = {f"sources.{name}": one.path for name, one in config.sources.items() if isinstance(one, FilesSource)}
    if config.knowledge:
        feeds = config.knowledge.documents.items()
        folders |= {f"knowledge.documents.{name}": one.path for name, one in feeds if isinstance(one, FolderFeed)}
    for where, path in folders.items():
        if _inside(config.lake, path) or _inside(_real(config.lake), _real(path)):
            expected = "a folder without the lake, or the job reads what it writes"
            yield Contradiction(f"{where}.path", expected, "a folder the lake lies in", "path: ./in")


def _inside(place: str, folder: str) -> bool:
    return f"{place.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def _real(place: str) -> str:
    """Where links lead; of a URL itself."""
    return place if _SCHEME.match(place) or "\0" in place else os.path.realpath(place)


def _known_schemes(config: "Config") -> Iterator[Contradiction]:
    for key, place in (("lake", config.lake), ("checkpoints", config.checkpoints or "")):
        scheme = _SCHEME.match(place)
        if scheme and scheme[0] not in _SCHEMES:
            expected = "a folder, s3://bucket/folder or /Volumes/..."
            yield Contradiction(key, expected, f"the scheme {scheme[0]}", f"{key}: ./{key}")


def _checkpoints_apart(config: "Config") -> Iterator[Contradiction]:
    inside = f"{config.checkpoints or ''}/".removeprefix(f"{config.lake.rstrip('/')}/")
    folder = inside.partition("/")[0]
    if config.checkpoints and inside != f"{config.checkpoints}/" and folder in TABLE_FOLDERS:
        expected = "a folder apart from the lake's tables"
        yield Contradiction("checkpoints", expected, f"a folder in {folder}/ of the lake", "checkpoints: ./checkpoints")


def _one_folder_each(config: "Config") -> Iterator[Contradiction]:
    for group, names in (("tables", config.tables), ("sources", config.sources)):
        seen: dict[str, str] = {}
        for name in names:
            first = seen.setdefault(name.lower(), name)
            if first != name:
                expected = "names that differ by more than case, which SQL and many file systems do not tell apart"
                yield Contradiction(f"{group}.{name}", expected, f"{group}.{first} as well", f"{name}_2: ...")


def _one_table_each(config: "Config") -> Iterator[Contradiction]:
    seen: dict[tuple[str, str | None], str] = {}
    for name, table in config.tables.items():
        # A table without source_table takes the source table that has its own name, so two of them do not clash.
        first = seen.setdefault((table.source, table.source_table or name), name)
        if first != name:
            found = f"tables.{first} reading {table.source_table or name} of {table.source} as well"
            expected = "one table for each source table"
            yield Contradiction(f"tables.{name}", expected, found, "source_table: public.bookings")


def _rows_name_their_table(config: "Config") -> Iterator[Contradiction]:
    for name, source in config.sources.items():
        tables = list(config.tables_of(name))
        if source.format in _ONE_TABLE and source.table is None and len(tables) > 1:
            expected = "the column that names each row's table, as several tables read this source"
            found = f"no such column for {', '.join(tables)}"
            yield Contradiction(f"sources.{name}.table", expected, found, "table: table_name")


def _horizons(config: "Config") -> Iterator[Contradiction]:
    horizons = {"apply.replay_horizon": config.apply.replay_horizon, "rejects.keep": config.rejects.keep}
    if config.log.enabled:
        horizons["log.keep"] = config.log.keep
    longest = max(horizons, key=lambda key: horizons[key])
    for name, table in config.tables.items():
        kept = table.maintenance.purge_tombstones_after
        if kept < horizons[longest]:
            at_least = in_words(horizons[longest])
            yield Contradiction(
                f"tables.{name}.maintenance.purge_tombstones_after",
                f"at least {at_least}, as long as {longest}, or an old event would revive a deleted row",
                in_words(kept),
                f"purge_tombstones_after: {at_least}",
            )
