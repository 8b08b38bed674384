"""The demo's end: a flight is cancelled at the source, and the assistant's answer follows within seconds."""

import time
from contextlib import closing
from pathlib import Path
from typing import Any

from headrace.config import Config
from headrace.context.answer import answer
from headrace.context.lookup import Answer, Lookups
from headrace.context.prompt import request
from headrace.pipelines.assistant import Opened
from headrace.pipelines.conversing import Conversing
from headrace.pipelines.demo_clock import Clock
from headrace.pipelines.demo_live import Following
from headrace.pipelines.served_lookups import lookups
from headrace.stores.chat_models import answerers, close
from headrace.travel.cancellation import WAVE, cancel, next_flight
from headrace.travel.channel import write_wave
from headrace.travel.database import Database

ADDRESS = "http://127.0.0.1:8737"
CONVERSATION = "the-demo-s-own"
_BADLY = (
    "The news comes late, behind newer changes, and twice; last comes an older change, by which it is only delayed."
)
_SHOWN = 2


def play(say: Clock, config: Config, folder: Path, database: Database, job: Following) -> bool:
    """Ask about a flight, cancel it, and ask again.

    Args:
        database: where the flight is cancelled.
        job: follows the database meanwhile.

    Returns:
        Whether the first answer says that the flight runs, and the second that it does not.

    Raises what made the job fail.
    """
    flight = next_flight(database)
    number, key = str(flight["number"]), (flight["flight_id"],)
    question = f"What is the status of flight {number} tomorrow?"
    with closing(_opened(config)) as rows:
        job.until(lambda: _fresh(_looked_up(rows, number)))
        before = _asked(config, question)
        say(f"Somebody asks about tomorrow's flight, {number} to {flight['destination']}, and gets an answer.")
        news, clock = cancel(database, key).arrivals(), time.monotonic()
        write_wave([news], WAVE, folder / "in")
        say(f"It is cancelled at the source. {_BADLY}")
        job.until(lambda: _status(_looked_up(rows, number)) == "cancelled")
        after = _asked(config, question)
        seconds = time.monotonic() - clock
    say(f"Asked again: the answer has changed, {seconds:.1f} seconds after the news arrived.")
    changed = '"on time"' in before and '"cancelled"' in after
    say.tell("", f"  {question}", *_quoted("first", before), *_quoted("again", after), "")
    say.tell(f"The answer followed the source: {'yes' if changed else 'NO'}", "")
    return changed


def _fresh(found: Answer) -> bool:
    return bool(found.rows) and not found.stale


def _opened(config: Config) -> Lookups:
    found = lookups(config)
    if found is None:
        raise ValueError("expected served tables in the demo's settings")
    return found


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
