"""Mutants of the applier: one wrong rule each. A suite that stays green with one of them proves nothing about it.

    python tests/soak/mutants.py [name ...]

copies the project, changes one text in it, runs the tests that must notice, and prints who was killed. A text that is
no longer in the source, or is there twice, is an error: the list has to follow the code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ORDER = "tests/properties/test_order.py"
CRASH = "tests/chaos/test_crash_points.py"
COLLAPSE, FLOORS, MERGE = (f"lib/headrace/ordering/{name}.py" for name in ("collapse", "floors", "guarded_merge"))
TABLE, HISTORY = "lib/headrace/changes/ordered_table.py", "lib/headrace/changes/history.py"


@dataclass(frozen=True)
class Mutant:
    """One wrong rule: in `path`, `old` becomes `new`; `test` must then fail."""

    name: str
    path: str
    old: str
    new: str
    test: str = ORDER

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
    ),
    Mutant(
        "latest event per batch only: unsent columns become null",
        COLLAPSE,
        "sent_at = F.when(F.col(SENT).isNull() | F.array_contains(SENT, name), upsert_at)",
        "sent_at = upsert_at",
    ),
    Mutant(
        "a delete keeps older values of a row that came back",
        MERGE,
        'f"WHEN s.{KNOWN_FLOOR} > {_stored_at(name)} THEN NULL ELSE t.{quoted(name)} END"',
        'f"ELSE t.{quoted(name)} END"',
    ),
    Mutant(
        "a truncate keeps older values of rows it spares",
        TABLE,
        "if prepared.shape.partial:\n            _forget_carried(",
        "if False:\n            _forget_carried(",
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
        CRASH,
    ),
    Mutant(
        "nothing mended at the start",
        TABLE,
        "        if not lake.exists(self._path):\n            return\n        truncate =",
        "        if True:\n            return\n        truncate =",
        CRASH,
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
    ),
    Mutant(
        "history carries values over a delete",
        HISTORY,
        "F.sum(F.when(is_delete, 1).otherwise(0)).over(by_key))\n    in_life",
        "F.sum(F.when(is_delete, 0).otherwise(0)).over(by_key))\n    in_life",
    ),
    Mutant(
        "history forgets truncates",
        HISTORY,
        "if not lake.exists(TRUNCATES.path):\n        return good",
        "if True:\n        return good",
    ),
)


@dataclass(frozen=True)
class Verdict:
    """What the tests said of a mutant."""

    mutant: str
    killed: bool
    seconds: float
    evidence: str


def judge(mutant: Mutant | None) -> Verdict:
    """Run the tests on a copy with this mutant, or on a clean copy where there is none.

    Raises RuntimeError where pytest could not run the tests at all: that kills nobody.
    """
    with tempfile.TemporaryDirectory(prefix="headrace-mutant-") as folder:
        copy = Path(folder)
        for name in ("lib", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        if mutant is not None:
            mutant.apply(copy)
        started = time.monotonic()
        code, said = _pytest(copy, [mutant.test] if mutant else [ORDER, CRASH])
        seconds = time.monotonic() - started
    name = mutant.name if mutant else "(none)"
    if code not in (0, 1):
        raise RuntimeError(f"expected the tests to run for mutant {name}; pytest ended with {code}:\n{said[-3000:]}")
    return Verdict(name, code == 1, seconds, _evidence(said) if code else "")


def _pytest(root: Path, tests: list[str]) -> tuple[int, str]:
    # The copy must win over an installed headrace, in this process and in Spark's workers.
    environment = os.environ | {"PYTHONPATH": str(root / "lib"), "HEADRACE_WORLD": "small"}
    environment.pop("HEADRACE_SOAK", None)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=short", *tests]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _evidence(said: str) -> str:
    """The first line of the failure: a wrong key, or the error a mutant ran into."""
    lines = [line.removeprefix("E ").strip() for line in said.splitlines() if line.startswith("E ")]
    return next((line for line in lines if line), "failed")[:160]


def main(names: list[str]) -> int:
    """Judge the named mutants, or first a clean copy and then all of them; 1 when one survived."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    if not names:
        clean = judge(None)
        print(f"{'no mutant':60} {'RED' if clean.killed else 'green':9} {clean.seconds:5.0f} s  {clean.evidence}")
        if clean.killed:
            return 1
    survived = 0
    for mutant in chosen:
        verdict = judge(mutant)
        survived += not verdict.killed
        word = "killed" if verdict.killed else "SURVIVED"
        print(f"{mutant.name:60} {word:9} {verdict.seconds:5.0f} s  {verdict.evidence}", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} mutants killed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
