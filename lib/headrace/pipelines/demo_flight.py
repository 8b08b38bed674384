"""The demo's end: a flight is cancelled at the source, and the assistant's answer follows within seconds."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headrace.config import Config
from headrace.context.answer import answer
from headrace.context.lookup import Answer, Lookups
from headrace.context.prompt import request
from headrace.errors import Fatal
from headrace.pipelines import apply_changes
from headrace.pipelines.assistant import Opened
from headrace.pipelines.conversing import Conversing
from headrace.pipelines.demo_clock import Clock
from headrace.pipelines.served_lookups import lookups
from headrace.stores.chat_models import answerers, close
from headrace.travel.cancellation import WAVE, cancel, next_flight
from headrace.travel.channel import write_wave
from headrace.travel.database import Database

ADDRESS = "http://127.0.0.1:8737"
CONVERSATION = "the-demo-s-own"
TRIGGER = timedelta(seconds=0.5)
PATIENCE = 300.0
"""Seconds that the job may take; an idle machine needs a few."""
_LOOK_SECONDS = 0.1
_SHOWN = 2


def play(say: Clock, config: Config, live: Config, folder: Path, database: Database) -> bool:
    """Ask about a flight while the job runs, cancel the flight, and ask again.

    Args:
        live: the settings of what is followed meanwhile.
        database: where the flight is cancelled.

    Returns:
        Whether the first answer says that the flight runs, and the second that it does not.

    Raises:
        Fatal: the job did not follow within `PATIENCE`.
    """
    flight = next_flight(database, datetime.now(UTC))
    number = str(flight["number"])
    question = f"What is the status of flight {number}, which leaves on {flight['departs_at']:%d %B}?"
    with _running(_quick(live)), closing(_opened(config)) as rows:
        _until(lambda: not (found := _looked_up(rows, number)).stale and bool(found.rows))
        say(f"The job runs, and somebody asks about tomorrow's flight, {number} to {flight['destination']}.")
        before = _asked(config, question)
        news = cancel(database, (flight["flight_id"],)).arrivals()
        clock = time.monotonic()
        write_wave([news], WAVE, folder / "in")
        say(
            "It is cancelled at the source. That arrives late, behind newer changes, and twice; last comes an older "
            "change, by which it is only delayed."
        )
        _until(lambda: _status(_looked_up(rows, number)) == "cancelled")
        after = _asked(config, question)
        seconds = time.monotonic() - clock
    say(f"Asked again: the answer has changed, {seconds:.1f} seconds after the news arrived.")
    changed = "on time" in before or "delayed" in before
    changed = changed and '"cancelled"' not in before and '"cancelled"' in after
    say.tell("", f"  {question}", *_quoted("before", before), *_quoted("after", after), "")
    say.tell(f"The answer followed the source: {'yes' if changed else 'NO'}", "")
    return changed


def _quick(config: Config) -> Config:
    return config.model_copy(update={"apply": config.apply.model_copy(update={"trigger": TRIGGER})})


def _opened(config: Config) -> Lookups:
    found = lookups(config)
    if found is None:
        raise ValueError("expected served tables in the demo's settings")
    return found


@contextmanager
def _running(config: Config) -> Iterator[None]:
    """The real job beside, as it runs in production; ended in the end. Raises what made it fail."""
    stop, failed = threading.Event(), []

    def run() -> None:
        try:
            apply_changes.run(config, once=False, stop=stop)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="apply_changes", daemon=True)
    thread.start()
    try:
        yield
    except Fatal as error:
        raise failed[0] if failed else error from None
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]


def _until(true: Callable[[], bool]) -> None:
    """Wait for what the job will do."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            todo = "Look at the job's messages above, or start the demo on a machine with less to do."
            raise Fatal(expected=f"the job to follow within {PATIENCE:.0f} seconds", found="nothing new", todo=todo)
        time.sleep(_LOOK_SECONDS)


def _looked_up(rows: Lookups, number: str) -> Answer:
    return rows.lookup("flights", {"number": number})


def _status(found: Answer) -> Any:
    return found.rows[0].values["status"] if found.rows else None


def _asked(config: Config, question: str) -> str:
    """The assistant's answer, which becomes a turn of a conversation and an event like any other."""
    settings = config.assistant
    models = answerers(settings)
    try:
        with Opened(config, None, "hybrid") as opened, Conversing(settings, CONVERSATION) as conversing:
            assembler = opened.assembler(3)
            # Without what was said before: else the second answer might quote the first.
            context = assembler.assemble(question, None, [])
            told = answer(models, request(context, assembler.template), settings.answers).answer
            conversing.keep(told, context, prompt=assembler.template.version)
    finally:
        close(models)
    return told.text


def _quoted(when: str, text: str) -> list[str]:
    """The answer's first quotes; what it says of itself comes first and stands below already."""
    quotes = [line for line in text.splitlines() if line.startswith("“")][:_SHOWN]
    return [f"    {when if not place else '':<7} {line}" for place, line in enumerate(quotes)]
