"""Mutants of the applier: one wrong rule each. A suite that stays green with one of them proves nothing about it.

    python tests/soak/mutants.py [name ...]

copies the project, changes one text in it, runs the checks of the order and crash tests on a small world, and prints
who was killed. A text that is no longer in the source, or is there twice, is an error: the list has to follow the code.

All mutants are judged in one process, since Spark is slow to start and slow at first: the mutant's modules are imported
anew from the copy.
"""

import importlib
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
FULL, PARTIAL, TRACKED = "FULL", "PARTIAL", "TRACKED"
"""Kinds of tables, see `tests/properties/histories.py`."""
CRASH_ON_DELETE = ("delete", "execute tables/")
CRASH_BEFORE_ROWS = ("delete", "append tombstones/")
COLLAPSE, FLOORS, MERGE = (f"lib/headrace/ordering/{name}.py" for name in ("collapse", "floors", "guarded_merge"))
TABLE, HISTORY, MEND = (f"lib/headrace/changes/{name}.py" for name in ("ordered_table", "history", "mend"))


@dataclass(frozen=True)
class Mutant:
    """One wrong rule: in `path`, `old` becomes `new`.

    Attributes:
        kind: the kind of table that must then go wrong in a random world.
        crash: instead, the crash test that must notice.
        late_truncate: the world's last batch truncates below living rows.
    """

    name: str
    path: str
    old: str
    new: str
    kind: str = FULL
    crash: tuple[str, str] | None = None
    late_truncate: bool = False

    def apply(self, root: Path) -> None:
        """Change the source under `root`. Raises ValueError when the text is not there exactly once."""
        file = root / self.path
        text = file.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(
                f"mutant {self.name!r}: expected this text once in {self.path}, found it {text.count(self.old)} times. "
                f"Follow the code in {Path(__file__).name}:\n{self.old}"
            )
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")


MUTANTS = (
    Mutant(
        "no guard on update",
        MERGE,
        'builder.whenMatchedUpdate(f"s.{POSITION} > t.{POSITION}", update)',
        'builder.whenMatchedUpdate(f"s.{POSITION} IS NOT NULL", update)',
    ),
    Mutant(
        "no guard on delete",
        MERGE,
        'dead = f"s.{POSITION} IS NULL AND s.{FLOOR} > t.{POSITION}"',
        'dead = f"s.{POSITION} IS NULL AND s.{FLOOR} IS NOT NULL"',
    ),
    Mutant(
        ">= instead of > (a repeat writes)",
        MERGE,
        'builder.whenMatchedUpdate(f"s.{POSITION} > t.{POSITION}", update)',
        'builder.whenMatchedUpdate(f"s.{POSITION} >= t.{POSITION}", update)',
    ),
    Mutant(
        "tie broken by arrival",
        MERGE,
        'builder.whenMatchedUpdate(f"s.{POSITION} > t.{POSITION}", update)',
        "builder.whenMatchedUpdate("
        "f\"substring_index(s.{POSITION}, '-', 2) >= substring_index(t.{POSITION}, '-', 2)\", update)",
    ),
    Mutant(
        "a delete wins a tie",
        MERGE,
        'dead = f"s.{POSITION} IS NULL AND s.{FLOOR} > t.{POSITION}"',
        "dead = (f\"s.{POSITION} IS NULL AND substring_index(s.{FLOOR}, '-', 2) >= \"\n"
        "        f\"substring_index(t.{POSITION}, '-', 2)\")",
    ),
    Mutant(
        "no tombstones",
        FLOORS,
        "if marks.newest_tombstone <= oldest_upsert:",
        "if marks.newest_tombstone <= oldest_upsert or True:",
    ),
    Mutant(
        "no truncate watermark",
        FLOORS,
        'table_floor = F.lit(marks.floor or None).cast("string")',
        'table_floor = F.lit(None).cast("string")',
    ),
    Mutant(
        "carried values ignored: a row has one position",
        MERGE,
        'return f"coalesce(t.{CARRIED}[{_text(name)}], t.{POSITION})"',
        'return f"t.{POSITION}"',
        kind=PARTIAL,
    ),
    Mutant(
        "latest event per batch only: unsent columns become null",
        COLLAPSE,
        "sent_at = F.when(F.col(SENT).isNull() | F.array_contains(SENT, name), upsert_at)",
        "sent_at = upsert_at",
        kind=PARTIAL,
    ),
    Mutant(
        "a delete keeps older values of a row that came back",
        MERGE,
        'f"WHEN s.{KNOWN_FLOOR} > {_stored_at(name)} THEN NULL ELSE t.{quoted(name)} END"',
        'f"ELSE t.{quoted(name)} END"',
        kind=PARTIAL,
    ),
    Mutant(
        "a truncate keeps older values of rows it spares",
        TABLE,
        "if prepared.shape.partial:\n            carried.forget_older(",
        "if False:\n            carried.forget_older(",
        kind=PARTIAL,
        late_truncate=True,
    ),
    Mutant(
        "events below a floor count in the batch",
        COLLAPSE,
        "return position.isNotNull() & (floor.isNull() | (position > floor))",
        "return position.isNotNull()",
    ),
    Mutant(
        "tombstones after the table",
        TABLE,
        """        if summary["deletes"]:
            add_tombstones(lake, self._floors, self.name, prepared.reduced, summary["newest_delete"])
        if prepared.truncates:
            add_table_floors(lake, self._floors, self.name, "truncate", prepared.truncates)
        merged = self._write(lake, prepared) if summary["keys"] else Merged()
""",
        """        merged = self._write(lake, prepared) if summary["keys"] else Merged()
        if summary["deletes"]:
            add_tombstones(lake, self._floors, self.name, prepared.reduced, summary["newest_delete"])
        if prepared.truncates:
            add_table_floors(lake, self._floors, self.name, "truncate", prepared.truncates)
""",
        crash=CRASH_ON_DELETE,
    ),
    Mutant(
        "nothing mended at the start",
        MEND,
        "    if not key:\n",
        "    if True:\n",
        crash=CRASH_BEFORE_ROWS,
    ),
    Mutant(
        "stale keys are not announced",
        TABLE,
        "prepared.reduced.where(F.col(KEY).isNotNull()).select(\n                F.col(KEY).alias",
        "prepared.reduced.where(F.col(POSITION).isNotNull()).select(\n                F.col(KEY).alias",
    ),
    Mutant(
        "history patched only in order: an interval once written stays",
        HISTORY,
        '.where(~F.col("_old").eqNullSafe(F.col("_new")))',
        '.where(F.col("_old").isNull())',
        kind=TRACKED,
    ),
    Mutant(
        "history carries values over a delete",
        HISTORY,
        "F.sum(F.when(is_delete, 1).otherwise(0)).over(by_key))\n    in_life",
        "F.sum(F.when(is_delete, 0).otherwise(0)).over(by_key))\n    in_life",
        kind=TRACKED,
    ),
    Mutant(
        "history forgets truncates",
        HISTORY,
        "if not lake.exists(TRUNCATES.path):\n        return good",
        "if True:\n        return good",
        kind=TRACKED,
    ),
)


@dataclass(frozen=True)
class Verdict:
    """What the checks said of a mutant: `evidence` is the first thing found wrong, empty where it survived."""

    mutant: str
    seconds: float
    evidence: str

    @property
    def killed(self) -> bool:
        return bool(self.evidence)


def judge(spark: Any, mutant: Mutant) -> Verdict:
    """Run the checks that must notice this mutant."""
    with tempfile.TemporaryDirectory(prefix="headrace-mutant-") as folder:
        started = time.monotonic()
        with _copy(Path(folder), mutant):
            if mutant.crash:
                evidence = _crash(spark, folder, mutant.crash)
            else:
                evidence = _order(spark, folder, mutant.kind, mutant.late_truncate)
        return Verdict(mutant.name, time.monotonic() - started, evidence)


def clean(spark: Any, mutant: Mutant) -> Verdict:
    """The same checks without the mutant: they must find nothing, or they would kill anybody."""
    return judge(spark, replace(mutant, name="(none)", new=mutant.old))


@contextmanager
def _copy(root: Path, mutant: Mutant) -> Iterator[None]:
    """Headrace and its tests imported from a copy with the mutant in it."""
    for name in ("lib", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    mutant.apply(root)
    before = {name: module for name, module in sys.modules.items() if _ours(name)}
    for name in before:
        del sys.modules[name]
    paths = [str(root / "lib"), str(root / "tests")]
    sys.path[:0] = paths
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for path in paths:
            sys.path.remove(path)
        for name in [name for name in sys.modules if _ours(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _ours(module: str) -> bool:
    return module.partition(".")[0] in ("headrace", "properties", "chaos")


def _order(spark: Any, folder: str, kind: str, late_truncate: bool = False) -> str:
    """One world of one table, as in `tests/properties/test_order.py`."""
    histories, worlds = (importlib.import_module(f"properties.{name}") for name in ("histories", "worlds"))
    test = importlib.import_module("properties.test_order")
    if not str(worlds.Applier.__init__.__code__.co_filename).startswith(folder):
        raise RuntimeError(f"expected the mutant's own modules; found {worlds.Applier.__init__.__code__.co_filename}")
    shape = getattr(histories, kind)
    some = (worlds.make_world(Random(seed), 40, 3, (shape,)) for seed in count())
    wanted = _late_truncate if late_truncate else _shows
    world = next(one for one in some if wanted(one.batches, shape.key))
    world = replace(world, restarts=frozenset({2}))
    config = worlds.config_for((shape,), f"{folder}/lake")
    try:
        worlds.run(spark, world, config)
        wrong = worlds.mistakes(spark, world, config)
        if wrong:
            return f"{wrong[0]}, e.g. {wrong[1]}"
        test.assert_every_touched_key_is_announced(spark, world, config)
    except AssertionError as noticed:
        return str(noticed) or "an assertion of the order test"
    return ""


def _shows(batches: list[list[Any]], key: tuple[str, ...]) -> bool:
    """Whether the last batch shows what the mutants do wrong, with nothing after it to mend it.

    A delete below a living row, one of them at the row's own place; an upsert below the delete of its key; an upsert
    below a truncate.
    """
    earlier = [change for batch in batches[:-1] for change in batch]
    before, after = _places(earlier, key), _places([*earlier, *batches[-1]], key)
    last = _by_key(batches[-1], key)
    below = [name for name, row in before.items() if row.alive and after[name] == row and _only(last, name, "delete")]
    ties = [name for name in below if any(_place(c.position) == _place(before[name].alive) for c in last[name])]
    buried = [name for name, row in before.items() if _only(last, name, "upsert") and not after[name].alive]
    truncated = max((c.position for c in earlier if c.op == "truncate"), default="")
    deleted = [name for name in buried if before[name].floor > truncated]
    cut_off = [name for name in buried if before[name].floor == truncated]
    return bool(len(below) > 1 and ties and deleted and truncated and cut_off)


def _late_truncate(batches: list[list[Any]], key: tuple[str, ...]) -> bool:
    """Whether the last batch truncates below a living row it does not touch, and above a value that row carries."""
    earlier, last = [change for batch in batches[:-1] for change in batch], _by_key(batches[-1], key)
    newest = max((change.position for change in batches[-1] if change.op == "truncate"), default="")
    before, events = _places(earlier, key), _by_key(earlier, key)
    for name, row in before.items():
        if name in last or not row.floor < newest < row.alive:
            continue
        above = [change for change in events[name] if change.op == "upsert" and change.position > row.floor]
        newer = [change for change in above if change.position > newest]
        old_values = {column for c in above if c.position < newest for column, value in c.after.items() if value}
        if len(newer) == 1 and newer[0].sent is not None and not old_values <= set(newer[0].sent):
            return True
    return False


class _Row(NamedTuple):
    """Positions of the living row ("" where there is none) and of the newest delete or truncate."""

    alive: str
    floor: str


def _places(changes: list[Any], key: tuple[str, ...]) -> dict[Any, _Row]:
    truncated = max((change.position for change in changes if change.op == "truncate"), default="")
    rows = {}
    for name, own in _by_key(changes, key).items():
        floor = max([truncated, *(change.position for change in own if change.op == "delete")])
        above = [change.position for change in own if change.op == "upsert" and change.position > floor]
        rows[name] = _Row(max(above, default=""), floor)
    return rows


def _by_key(changes: list[Any], key: tuple[str, ...]) -> dict[Any, list[Any]]:
    found = defaultdict(list)
    for change in changes:
        if change.op != "truncate":
            found[tuple(change.after.get(column) for column in key)].append(change)
    return found


def _only(changes: dict[Any, list[Any]], name: Any, op: str) -> bool:
    return bool(changes.get(name)) and all(change.op == op for change in changes[name])


def _place(position: str) -> list[str]:
    return position.split("-")[:2]


def _crash(spark: Any, folder: str, case: tuple[str, str]) -> str:
    test = importlib.import_module("chaos.test_crash_points")
    try:
        test.test_what_a_batch_ended_before_it_died_stays_ended_even_if_the_batch_never_comes_again(
            spark, Path(folder), *case
        )
    except AssertionError as noticed:
        return str(noticed) or "an assertion of the crash test"
    return ""


def main(names: list[str]) -> int:
    """Judge the named mutants, or all; 1 when one survived or a check is red without any."""
    sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "tests")]
    from headrace.pipelines.runtime import INTERPRETED, spark_session

    unknown = set(names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        raise SystemExit(f"expected names of mutants; found {sorted(unknown)}")
    spark = spark_session("headrace mutants", settings={"spark.master": "local[2]", **INTERPRETED})
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    bad = 0
    checks = {(mutant.kind, mutant.crash, mutant.late_truncate): mutant for mutant in chosen}
    for mutant in checks.values():
        verdict = clean(spark, mutant)
        bad += verdict.killed
        _tell(f"no mutant: {mutant.crash or mutant.kind}", "RED" if verdict.killed else "green", verdict)
    for mutant in chosen:
        verdict = judge(spark, mutant)
        bad += not verdict.killed
        _tell(mutant.name, "killed" if verdict.killed else "SURVIVED", verdict)
    return 1 if bad else 0


def _tell(name: str, word: str, verdict: Verdict) -> None:
    print(f"{name:60} {word:9} {verdict.seconds:5.0f} s  {' '.join(verdict.evidence.split())[:150]}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
