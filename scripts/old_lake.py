"""Makes a small lake with every kind of table in it and packs it, for the test that later versions open it.

    python scripts/old_lake.py tests/data/lakes/NAME.tar.gz

Run it once for each tagged state, with that state's code. A file that is there is never made again.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from headrace.cli import main

SETTINGS = """\
lake: ./lake
sources:
  feed:
    {from: files, path: ./feed, format: json, position: [at], table: table, operation: {column: op, delete: [d]}}
  shop: {from: files, path: ./shop, format: debezium}
tables:
  users: {source: feed, key: [id], drop: [op, table], history: true}
  "rooms": {source: feed, key: [hotel, "room no"], drop: [op, table], types: {price: "decimal(10,2)"}}
  notes: {source: shop, source_table: public.notes, key: [id], history: {track: [title]}}
knowledge:
  documents:
    pages: {from: folder, path: ./pages, tags: [page]}
    notes: {from: table, table: notes, title: title, text: [body]}
  indexes:
    search: {store: sqlite, path: ./search.db}
"""

FIRST: list[dict[str, Any]] = [
    {"table": "users", "op": "u", "at": 1, "id": 1, "name": "Ada", "seen": "2026-01-01T08:00:00Z"},
    {"table": "users", "op": "u", "at": 2, "id": 2, "name": "Ben", "seen": "2026-01-01T09:00:00Z"},
    {"table": "users", "op": "u", "at": 3, "id": 3, "name": "Eve", "seen": None},
    {"table": "rooms", "op": "u", "at": 1, "hotel": "h1", "room no": 7, "price": 99.5},
    {"table": "rooms", "op": "u", "at": 2, "hotel": "h1", "room no": 8, "price": "not a price"},
    {"table": "nobody", "op": "u", "at": 1, "id": 1},
]
SECOND: list[dict[str, Any]] = [
    {"table": "users", "op": "d", "at": 5, "id": 2},
    {"table": "users", "op": "u", "at": 6, "id": 1, "name": "Ada L.", "seen": "2026-01-02T08:00:00Z", "score": 1.5},
    {"table": "users", "op": "u", "at": 4, "id": 3, "name": "Eva", "seen": None},
]
PAGES = {
    "visa.md": "# Visa\n\nBring a passport.\n\n## Fees\n\nForty euro.\n",
    "bags.md": "# Bags\n\nOne cabin bag is free.\n",
    "old.md": "# Old\n\nNobody needs this any more.\n",
}
UNAVAILABLE = "__debezium_unavailable_value"


def note(lsn: int, op: str, number: int, title: str, body: str) -> dict[str, Any]:
    """A change of the table `notes` as Debezium tells it."""
    image = {"id": number, "title": title, "body": body}
    source = {"connector": "postgresql", "schema": "public", "table": "notes", "lsn": lsn, "ts_ms": 1767225600000 + lsn}
    before, after = (image, None) if op == "d" else (None, image)
    return {"before": before, "after": after, "op": op, "source": source, "ts_ms": source["ts_ms"]}


NOTES = [
    note(10, "c", 1, "Late", "Arrive after ten and the desk is closed."),
    note(11, "c", 2, "Dogs", "Dogs are welcome."),
    note(12, "u", 1, "Late arrival", UNAVAILABLE),
    note(13, "d", 2, "Dogs", "Dogs are welcome."),
]


def write(file: Path, rows: list[dict[str, Any]]) -> None:
    """JSON lines; the file appears complete."""
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def make(folder: Path) -> None:
    """The lake, with its settings, sources and index, in an empty folder."""
    settings = folder / "headrace.yaml"
    settings.write_text(SETTINGS)
    (folder / "pages").mkdir()
    for name, text in PAGES.items():
        (folder / "pages" / name).write_text(text)
    for number, rows in enumerate((FIRST, SECOND)):
        write(folder / "feed" / f"{number}.json", rows)
        write(folder / "shop" / f"{number}.json", NOTES[number * 2 :][:2])
        for job in ("apply_changes", "index_knowledge"):
            if main(["run", job, "--once", "--config", str(settings)]):
                raise SystemExit(f"{job} failed")
        (folder / "pages" / "old.md").unlink(missing_ok=True)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if place.exists():
        raise SystemExit(f"{place} is there already")
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch))
        with tarfile.open(place, "w:gz") as packed:
            packed.add(scratch, arcname="old")
    print(f"{place}: {place.stat().st_size:,} bytes")
