"""The road from the database to the lake: events come late, twice, and in no order."""

import json
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.travel.database import Event
from headrace.travel.debezium import Line, lines

LATE, TWICE = 0.20, 0.15


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way.

    Attributes:
        event: the log entry it belongs to.
        wave: when it arrives, from 0.
        late: whether newer events of the log may have arrived in an earlier wave.
        copy: whether it was sent before.
    """

    event: Event
    line: Line
    wave: int
    late: bool
    copy: bool


def deliver(
    log: Sequence[Event], rng: random.Random, *, waves: int = 3, files: int = 4, schemas: bool = True
) -> list[list[list[Delivery]]]:
    """Spread the log over waves of files: `answer[wave][file]` is a list of deliveries in the order of its lines.

    The log is cut into as many parts as there are waves. A fifth of the messages arrives one or more waves late, 15%
    come a second time, and each wave is shuffled over its files. Every message arrives at least once.
    """
    arrived: list[list[Delivery]] = [[] for _ in range(waves)]
    for index, event in enumerate(log):
        due = index * waves // len(log)
        for line in lines(event, schemas=schemas):
            late = due < waves - 1 and rng.random() < LATE
            wave = rng.randint(due + 1, waves - 1) if late else due
            arrived[wave].append(Delivery(event, line, wave, late, copy=False))
            if rng.random() < TWICE:
                again = rng.randint(wave, waves - 1)
                arrived[again].append(Delivery(event, line, again, again > due, copy=True))
    for wave_deliveries in arrived:
        rng.shuffle(wave_deliveries)
    return [[wave_deliveries[start::files] for start in range(files)] for wave_deliveries in arrived]


def write_wave(files: Sequence[Sequence[Delivery]], wave: int, folder: Path) -> list[Path]:
    """Write one wave as JSON-lines files that appear complete, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, deliveries in enumerate(files, start=1):
        text = (json.dumps(delivery.line, ensure_ascii=False, separators=(",", ":")) for delivery in deliveries)
        written.append(write_whole(folder / f"wave-{wave + 1}-file-{number}.jsonl", text))
    return written


def write_whole(path: Path, text: Iterable[str]) -> Path:
    """Write lines as a file that appears complete, and return its path."""
    # A job that watches the folder must never see half a file; names that begin with a dot are not read.
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
    os.replace(unfinished, path)
    return path
