"""Many histories in one run: several tables, all their changes in disorder, cut into batches with restarts between.

A Delta MERGE costs seconds whatever it holds, so one run carries hundreds of histories. Each has its own keys; a
failure is reported key by key, with only that key's events.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from pyspark.sql import SparkSession

from headrace.changes.apply import Applier
from headrace.changes.envelope import Change
from headrace.config import Config
from headrace.testing import TableTruth, differences, envelopes, history_of, rows_of, table_truth
from headrace.testing.oracle import Key
from properties.histories import SHAPES, Shape, chance, cut, history, repeated, truncates

REPORTED = 3


@dataclass(frozen=True)
class World:
    """What will happen.

    Attributes:
        events: the distinct changes of each table.
        batches: what arrives, batch by batch.
        restarts: before these batches the applier starts anew, and gets the batch before once more.
    """

    shapes: tuple[Shape, ...]
    events: dict[str, list[Change]]
    batches: list[list[Change]]
    restarts: frozenset[int]


def make_world(random: Random, histories: int, batches: int, shapes: Sequence[Shape] = SHAPES) -> World:
    """A random world with `histories` histories in each table."""
    events: dict[str, list[Change]] = {}
    arriving: list[list[Change]] = [[] for _ in range(batches)]
    for shape in shapes:
        own = truncates(random, shape)
        for number in range(histories):
            own += history(random, shape, f"h{number}")
        events[shape.name] = own
        for batch, piece in zip(arriving, cut(random, arrival(random, own), batches), strict=True):
            batch += piece
    for batch in arriving:
        random.shuffle(batch)
    restarts = {number for number in range(1, batches) if chance(random, 40)} | {random.randint(1, batches - 1)}
    return World(tuple(shapes), events, arriving, frozenset(restarts))


def arrival(random: Random, changes: list[Change]) -> list[Change]:
    """The changes with repeats, in one of three orders: any, nearly the source's, or the source's."""
    sent = repeated(random, changes)
    disorder = random.choice([None, None, 6, 0])
    if disorder is None:
        return sent
    return sorted(sent, key=lambda change: (change.changed_at or 0) // 1_000_000 + random.randint(0, disorder))


_FEED = {"from": "files", "path": "unused", "format": "json", "position": ["at"], "table": "table"}


def config_for(shapes: Iterable[Shape], lake: str) -> Config:
    """Settings with one table for each shape, all on one source."""
    tables = {
        shape.name: {
            "source": "feed",
            "key": list(shape.key),
            "types": shape.types if shape.declared else {},
            "history": shape.history,
        }
        for shape in shapes
    }
    return Config.model_validate(
        {
            "lake": lake,
            "sources": {"feed": _FEED},
            "tables": tables,
            # Random order looks like a source whose numbering went back, which is what the check is for.
            "apply": {"allow_stale": True},
        }
    )


def run(
    spark: SparkSession, world: World, config: Config, applier: Callable[[SparkSession, Config], Applier] = Applier
) -> None:
    """Apply every batch, with the restarts the world asks for."""
    running = applier(spark, config)
    offset = 0
    last: tuple[int, list[Change]] | None = None
    for number, batch in enumerate(world.batches):
        if number in world.restarts:
            running = applier(spark, config)
            if last is not None:
                again = running.apply(envelopes(spark, last[1], config, first_offset=last[0]), f"feed/{number - 1}")
                assert again.total("applied") == 0, "a batch that comes again must write no row"
        running.apply(envelopes(spark, batch, config, first_offset=offset), f"feed/{number}")
        last = offset, batch
        offset += len(batch)


def mistakes(spark: SparkSession, world: World, config: Config) -> list[str]:
    """What differs from the oracle, table by table, with the events that led there; empty where all is right."""
    report: list[str] = []
    for shape in world.shapes:
        wrong = wrong_keys(spark, shape, world.events[shape.name], config)
        if wrong:
            report.append(f"{shape.name}: {len(wrong)} keys are wrong")
        for key, text in list(wrong.items())[:REPORTED]:
            report += [f"{key}: {text}", *story(world, shape, key)]
    return report


def wrong_keys(spark: SparkSession, shape: Shape, changes: list[Change], config: Config) -> dict[Key, str]:
    """The keys of one table that are not as the oracle says."""
    truth = truth_of(shape, changes)

    def read(place: str) -> list:
        try:
            return (rows_of if place == "tables" else history_of)(
                spark.read.format("delta").load(f"{config.lake}/{place}/{shape.name}"), shape.key, truth.columns
            )
        except Exception as missing:
            # A table nothing ever lived in need not exist.
            if "PATH_NOT_FOUND" in str(missing) or "DELTA_TABLE_NOT_FOUND" in str(missing):
                return []
            raise

    return differences(truth, read("tables"), read("history") if shape.history is not None else None)


def truth_of(shape: Shape, changes: list[Change]) -> TableTruth:
    """The oracle's answer for one table."""
    return table_truth(changes, shape.key, history=shape.history)


def story(world: World, shape: Shape, key: Key) -> list[str]:
    """The events of one key as they arrived: batch, operation, position, values."""
    lines = []
    for number, batch in enumerate(world.batches):
        for change in batch:
            own = tuple(change.after.get(column) for column in shape.key) == key
            if change.table == shape.name and (own or change.op == "truncate"):
                sent = "" if change.sent is None else " (partial)"
                restart = " after a restart" if number in world.restarts else ""
                lines.append(f"  batch {number}{restart}: {change.op}{sent} at {change.position}: {change.after}")
    return lines


def touched_keys(shape: Shape, changes: Iterable[Change]) -> set[Key]:
    """Every key a change named."""
    return {tuple(change.after.get(column) for column in shape.key) for change in changes if change.op != "truncate"}
