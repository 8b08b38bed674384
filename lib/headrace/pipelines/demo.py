"""`headrace demo`: the travel company's changes, late, doubled and shuffled, become tables equal to the source.

Then its documents become an index (`demo_documents`) while two more systems send rows about the same people
(`demo_people`) and travellers talk to the assistant (`demo_travellers`). In the end a flight is cancelled, and an
answer changes (`demo_flight`).
"""

import random
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from headrace import config_file
from headrace.config import Config
from headrace.errors import Fatal
from headrace.pipelines import demo_documents, demo_flight, demo_people, demo_travellers
from headrace.pipelines.demo_clock import Clock, side_by_side
from headrace.pipelines.demo_live import Following, following, share
from headrace.pipelines.runtime import INTERPRETED, SHORT_LIVED, TINY, spark_session
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS
from headrace.tables import BATCHES, SYSTEM_COLUMNS, TABLES
from headrace.travel import systems
from headrace.travel.agency import Agency
from headrace.travel.channel import Delivery, deliver, write_wave
from headrace.travel.columns import Key
from headrace.travel.compare import Comparison, comparable, compare
from headrace.travel.people import People
from headrace.travel.story import Waves, arrivals, by_arrival, choose, table_lines
from headrace.travel.travellers import Travellers

FOLDER = Path("demo-lake")
SEED = 7
STEPS = 1_000
TOLD = "bookings"
TOLD_COLUMNS = ("customer_id", "status", "price")
_MARK = ".made-by-headrace-demo"


def main(folder: Path = FOLDER) -> int:
    """Play the demo in `folder`, which is made anew, and print it.

    Returns:
        0 where every row and column of every table equals the source, the index its documents and the people
        and measures the truth, and where an answer has followed its source, else 1.

    Raises:
        Fatal: the folder holds something the demo did not make.
    """
    say = Clock()
    config = _prepare(folder)
    say(f"A travel company: 5 tables in a simulated database, a first snapshot, then {STEPS:,} transactions.")
    agency = Agency(SEED, began=datetime.now(UTC) - timedelta(hours=2), steps=STEPS)
    people = People.of(agency.database, SEED)
    waves = deliver(agency.database.log, random.Random(SEED))
    say(_delivered(waves))
    key = choose(waves, TOLD, agency.database.rows[TOLD])
    say("Starting Spark ...")
    session = _session(config)
    with following(config, session) as job:
        states = [_take_in(say, config, folder, number, wave, key, job) for number, wave in enumerate(waves)]
        _tell(waves, key, states)
        equal = _judge(config, agency)
        say("Next, side by side in one driver as `headrace run all` has them: documents and travellers; people.")

        def reading_and_talking(lane: Clock) -> bool:
            share(session)
            return _documents(lane, config, folder) & _travellers(lane, config, folder, agency)

        def meeting(lane: Clock) -> bool:
            share(session)
            return _people(lane, config, folder, people, job)

        equal &= side_by_side(say, [reading_and_talking, meeting])
        equal &= _flight(say, config, folder, agency, job)
    say("Done.")
    _next_steps(folder, key, people.mixed_address)
    return 0 if equal else 1


def _session(config: Config) -> SparkSession:
    running = SparkSession.getActiveSession()
    return running or spark_session("headrace demo", settings={**SHORT_LIVED, **INTERPRETED, **TINY, **config.spark})


def _prepare(folder: Path) -> Config:
    if folder.exists() and not (folder / _MARK).exists():
        raise Fatal(
            where=str(folder),
            expected="no such folder, or one an earlier demo made",
            found="a folder with other things in it",
            todo="Move it away, or start the demo in another folder.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    for inbox in ("in", *(f"{demo_people.FOLDER}/{table}" for table in systems.TABLES.values())):
        (folder / inbox).mkdir(parents=True)
    (folder / _MARK).touch()
    settings = folder / "headrace.yaml"
    settings.write_text(settings_text(), encoding="utf-8")
    return config_file.load(settings)


def settings_text() -> str:
    """The demo's settings file, whose paths are relative."""
    return files("headrace.travel").joinpath("headrace.yaml").read_text("utf-8")


def _delivered(waves: Waves) -> str:
    messages = [delivery for wave in waves for file in wave for delivery in file]
    late, twice = sum(one.late for one in messages), sum(one.copy for one in messages)
    return (
        f"Its change events, as Debezium sends them: {len(messages):,} messages in {sum(map(len, waves))} files and "
        f"{len(waves)} waves; {late:,} come one or two waves late, {twice:,} a second time, all in random order."
    )


def _take_in(
    say: Clock, config: Config, folder: Path, number: int, wave: list[list[Delivery]], key: Key, job: Following
) -> Mapping[str, Any] | None:
    """Deliver one wave and wait until the real job has taken it; the told row as the lake then holds it."""
    before = _counts(LakeView(config)) if number else {}
    # A folder that appears whole: a job that looks meanwhile would take a part of its files, and the rest after that.
    hidden = folder / "in" / f".wave-{number + 1}"
    write_wave(wave, number, hidden)
    hidden.rename(hidden.with_name(f"wave-{number + 1}"))
    job.taken("shop")
    view = LakeView(config)  # another one: it keeps the versions that it has read
    told = ", ".join(f"{count - before.get(name, 0):,} {name}" for name, count in _counts(view).items())
    say(f"Wave {number + 1} of 3: {told}")
    return _row(view, key)


def _counts(view: LakeView) -> dict[str, int]:
    names = ("sent", "applied", "stale", "ignored", "rejected")
    sums = ", ".join(f"sum({name}) AS {name}" for name in names)
    return {name: int(count) for name, count in view.query(BATCHES.path, f"SELECT {sums} FROM {ROWS}")[0].items()}


def _row(view: LakeView, key: Key) -> Mapping[str, Any] | None:
    found = view.query(TABLES.format(table=TOLD), f"SELECT * FROM {ROWS} WHERE booking_id = {key[0]}")
    return found[0] if found else None


def _tell(waves: Waves, key: Key, states: list[Mapping[str, Any] | None]) -> None:
    told = arrivals(waves, TOLD, key)
    print("", *table_lines(f"One row's story: booking {key[0]}", told, TOLD_COLUMNS), "", sep="\n")
    for number, state in enumerate(states, start=1):
        print(f"  in the lake after wave {number}:  {_short(state)}")
    print(f"  taken as it arrived:     {_short(by_arrival([one.delivery.event for one in told]))}\n")


def _short(row: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} {row[name]}" for name in TOLD_COLUMNS) if row else "no such row"


def _judge(config: Config, agency: Agency) -> bool:
    compared = comparisons(config, agency)
    for one in compared:
        print(f"  {one.table:<10} {one.rows:>5} rows   {'equal' if one.equal else f'{one.count} differences'}")
        for line in one.differences:
            print(f"    {line}")
    equal = all(one.equal for one in compared)
    print(f"\n{len(compared)} tables equal the source: {'yes' if equal else 'NO'}\n")
    return equal


def comparisons(config: Config, agency: Agency) -> list[Comparison]:
    """Every row and column of the settings' tables against the source, by a reader that shares no code with the job."""
    view, truth = LakeView(config), agency.database.rows
    return [compare(name, truth[name].values(), _found(view, name)) for name in config.tables if name in truth]


def _found(view: LakeView, table: str) -> list[dict[str, Any]]:
    rows = view.query(TABLES.format(table=table), f"SELECT * FROM {ROWS}")
    return [comparable({name: row[name] for name in row if name not in SYSTEM_COLUMNS}) for row in rows]


def _documents(say: Clock, config: Config, folder: Path) -> bool:
    lacking = demo_documents.missing_package()
    return _left_out(say, "documents", lacking, "knowledge") or demo_documents.play(say, config, folder)


def _people(say: Clock, config: Config, folder: Path, people: People, job: Following) -> bool:
    lacking = demo_people.missing_package()
    return _left_out(say, "people", lacking, "profiles") or demo_people.play(say, config, folder, people, job)


def _travellers(say: Clock, config: Config, folder: Path, agency: Agency) -> bool:
    lacking = demo_travellers.missing_package()
    travellers = Travellers.of(agency.database, SEED)
    return _left_out(say, "travellers", lacking, "sentiment") or demo_travellers.play(say, config, folder, travellers)


def _flight(say: Clock, config: Config, folder: Path, agency: Agency, job: Following) -> bool:
    lacking = demo_documents.missing_package()
    if _left_out(say, "the cancelled flight", lacking, "knowledge"):
        return True
    changed = demo_flight.play(say, config, folder, agency.database, job)
    equal = all(one.equal for one in comparisons(config, agency))
    print(f"Its tables equal the source again: {'yes' if equal else 'NO'}\n")
    return changed and equal


def _left_out(say: Clock, what: str, lacking: str | None, extra: str) -> bool:
    """Whether a part is left out, which is said."""
    if lacking is not None:
        say(f"The part with {what} is left out: no package {lacking}. Run `pip install 'headrace[{extra}]'`.")
    return lacking is not None


def _next_steps(folder: Path, key: Key, address: str) -> None:
    config = folder / "headrace.yaml"
    steps = {
        f"headrace status --config {config}": "lag, rows, refused rows, freshness",
        f"headrace trace {TOLD} {key[0]} --config {config}": "one row: what arrived, what was applied, what was stale",
        f"headrace table prices --config {config}": "the current rows of a table",
        f'headrace ask "can I bring my cello on board" --customer {address} --config {config}': (
            "an answer for somebody, quoted without a model"
        ),
        f"headrace explain {address} --config {config}": "who somebody is, and how that came about",
    }
    print(f"To see it all: headrace serve --config {config}, then {demo_flight.ADDRESS} in a browser.\n")
    print("Five things to try next:", *(f"  {command}\n      {what}" for command, what in steps.items()), sep="\n")
