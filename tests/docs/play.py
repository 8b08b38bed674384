"""Plays the examples of docs/changes.md through one applier and keeps what the lake then shows.

Round 0 is *before*, then comes one round for each *incoming*. Examples with the same settings and columns share a
table, which saves minutes; their keys are shifted apart, example 3 by 3000.
"""

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import yaml
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from docs.markdown import Example, Table
from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.config import Config
from headrace.lake import Lake
from headrace.tables import CARRIED, CHANGED_KEYS, HISTORY, POSITION, REJECTS, TABLES, TOMBSTONES
from headrace.testing import builders
from headrace.testing.values import as_text

UNSENT = "unchanged"
SHIFT = 1_000
NOT_BUSINESS = {"at", "op", "moved from", POSITION, CARRIED}
Rows = list[dict[str, str | None]]


def expectations(example: Example) -> Iterator[tuple[int, str, Table]]:
    """What the page shows of an example: the round it is true after, the step's name, the table."""
    number = 0
    for step, table in example.steps:
        if "incoming" in step:
            number += 1
        elif step != "before":
            yield number, step, table


class Played:
    """The lake after every round, as far as the page shows it: `shown[title, round, step]`."""

    def __init__(self, spark: SparkSession, root: str, pages: Sequence[Example]) -> None:
        self.shown: dict[tuple[str, int, str], Rows] = {}
        self._lake = Lake(spark, root)
        scenes = [_Scene(example, number) for number, example in enumerate(pages, start=1)]
        config = _config(root, scenes)
        applier = Applier(spark, config)
        offset = 0
        for number in range(max(len(scene.rounds) for scene in scenes)):
            changes = [change for scene in scenes if number < len(scene.rounds) for change in scene.rounds[number]]
            applier.apply(builders.envelopes(spark, changes, config, first_offset=offset), f"feed/{number}")
            offset += len(changes)
            self._look(scenes, number)

    def _look(self, scenes: Sequence["_Scene"], number: int) -> None:
        read: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for scene in scenes:
            for at, step, _ in expectations(scene.example):
                if at != number:
                    continue
                if (scene.table, step) not in read:
                    read[scene.table, step] = self._rows(scene.table, step, number)
                rows = read[scene.table, step]
                self.shown[scene.example.title, number, step] = [scene.own(row) for row in rows if scene.owns(row)]

    def _rows(self, table: str, step: str, number: int) -> list[dict[str, Any]]:
        mine = F.col("table") == table
        path, where = {
            "after": (TABLES.format(table=table), F.lit(True)),
            "history": (HISTORY.format(table=table), F.lit(True)),
            "tombstones": (TOMBSTONES.path.format(table=table), F.lit(True)),
            "rejects": (REJECTS.path.format(job="apply_changes"), mine),
            "changed keys": (CHANGED_KEYS.path, mine & (F.col("batch") == f"feed/{number}")),
        }[step]
        if not self._lake.exists(path):
            return []
        return [row.asDict() for row in self._lake.read(path).where(where).collect()]


class _Scene:
    """One example in its table, its keys shifted."""

    def __init__(self, example: Example, number: int) -> None:
        self.example, self._shift = example, number * SHIFT
        self._key = next(name for name in example.steps[0][1].headings if name.endswith("_id"))
        ((_, settings),) = yaml.safe_load(example.settings).items() if example.settings else ((None, {}),)
        self.settings = {**settings, "key": [self._key], "source": "feed"}
        if example.settings and settings["key"] != [self._key]:
            raise ValueError(f"{example.title}: expected key [{self._key}] in its settings, found {settings['key']}")
        columns = {name for step, table in example.steps for name in table.headings if "incoming" in step}
        words = json.dumps([example.settings, sorted(columns - NOT_BUSINESS)])
        self.table = "t_" + re.sub(r"\W+", "_", words).strip("_").lower()[:90]
        self.rounds = self._rounds()

    def owns(self, row: dict[str, Any]) -> bool:
        return self._shift < self._number(row) < self._shift + SHIFT

    def own(self, row: dict[str, Any]) -> dict[str, str | None]:
        shown = {name: _shown(name, value) for name, value in row.items()}
        number = str(self._number(row) - self._shift)
        return shown | ({"key": f'["{number}"]'} if "key" in row else {self._key: number})

    def _number(self, row: dict[str, Any]) -> int:
        return int(json.loads(row["key"])[0]) if "key" in row else int(row[self._key])

    def _rounds(self) -> list[list[Change]]:
        steps = self.example.steps
        before = [[self._stored(row) for row in table.rows] for step, table in steps if step == "before"] or [[]]
        return before + [[self._change(row) for row in table.rows] for step, table in steps if "incoming" in step]

    def _stored(self, row: dict[str, str]) -> Change:
        return builders.upsert(self.table, self._values(row), at=int(row[POSITION]))

    def _change(self, row: dict[str, str]) -> Change:
        at, op, values = int(row["at"]), row["op"], self._values(row)
        unsent = [name for name, cell in row.items() if cell == UNSENT]
        if op == "truncate":
            return builders.truncate(self.table, at=at)
        if op == "delete":
            return builders.delete(self.table, {self._key: values[self._key]}, at=at)
        if row.get("moved from"):
            old = {self._key: int(row["moved from"]) + self._shift}
            return builders.moved(self.table, old, values | dict.fromkeys(unsent), at=at, unsent=unsent)[1]
        if unsent:
            return builders.partial(self.table, values, at=at)
        return builders.upsert(self.table, values, at=at, dump={"dump row": True, "upsert": False}[op])

    def _values(self, row: dict[str, str]) -> dict[str, Any]:
        values = {name: _value(cell) for name, cell in row.items() if name not in NOT_BUSINESS and cell != UNSENT}
        return values | ({self._key: values[self._key] + self._shift} if values[self._key] is not None else {})


def _config(root: str, scenes: Sequence[_Scene]) -> Config:
    feed = {"from": "files", "path": "./in", "format": "json", "position": ["at"], "table": "table"}
    tables = {scene.table: scene.settings for scene in scenes}
    return Config.model_validate({"lake": root, "sources": {"feed": feed}, "tables": tables})


def _value(cell: str) -> Any:
    if cell in ("null", ""):
        return None
    if re.fullmatch(r"-?\d+", cell):
        return int(cell)
    return Decimal(cell) if re.fullmatch(r"-?\d+\.\d+", cell) else cell


def _shown(name: str, value: Any) -> str | None:
    if name == CARRIED:
        return ", ".join(f"{column}: {_place(at)}" for column, at in sorted((value or {}).items()))
    if name in (POSITION, "position", "_valid_from", "_valid_to"):
        return None if value is None else _place(value)
    return as_text(value)


def _place(position: str) -> str:
    """`0000-n03120-4ab..` is place 120: the builders write a number as its digit count and its digits."""
    if not position:
        return "never"
    found = re.fullmatch(r"\d{4}-n(\d\d)(\d+)-[0-9a-f]{13}", position)
    if not found:
        raise ValueError(f"expected a position made by the builders, found {position!r}")
    return found[2].ljust(int(found[1]), "0")
