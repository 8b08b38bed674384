"""The demo's third part: two more systems send rows about the same people, who are found, mixed up and told apart."""

import json
import threading
from contextlib import closing
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from headrace.config import Config
from headrace.context.profile_text import render
from headrace.errors import Fatal
from headrace.pipelines import build_profiles
from headrace.pipelines.demo_clock import Clock
from headrace.pipelines.demo_live import Following
from headrace.pipelines.explain import explain
from headrace.pipelines.people_lookup import lookup
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS
from headrace.tables import PEOPLE
from headrace.travel.people import ACTS, People
from headrace.travel.systems import TABLES, Groups, as_groups

FOLDER = "people"
SOURCES = tuple(TABLES)
"""Called as the records are."""
SHOWN = 5
_PACKAGES = ("jellyfish", "phonenumbers")
_TRAPS = (
    "  a family shares an address, a number is given away again, twins share all but the first name, fourteen callers\n"
    "  have the call centre's own number, four a number that is none, one is born on another day than the database says"
)
_HAPPENS = (
    "Their rows arrive",
    "A number is typed wrong and makes two customers one; a birth date is put right, somebody has a new name",
    "The number and a device are put right, another device is deleted, and the wrong rows come once more, late",
)
_SHOWN = {1: ("merge", "two people became one", "mixed up"), 2: ("split", "they were told apart again", "put right")}


def missing_package() -> str | None:
    """A package that finding people needs and that is not installed."""
    return next((name for name in _PACKAGES if find_spec(name) is None), None)


def play(say: Clock, config: Config, folder: Path, people: People, job: Following) -> bool:
    """Play the three acts, and print who was found, one merge, and how it was taken back.

    Args:
        job: takes in what the two systems send.

    Returns:
        Whether the people found were those of the truth after each act.

    Raises:
        Fatal: the job ended with another code than 0.
    """
    callers, devices = (len(people.rows(0, record)) for record in ("calls", "devices"))
    say(f"People: a call centre sends {callers} callers, a feed {devices} devices. Some are not what they seem:")
    say.tell(_TRAPS)
    equal = True
    for act in range(ACTS):
        count = people.write(act, folder / FOLDER)
        job.taken(*SOURCES)
        code = build_profiles.run(config, once=True, stop=threading.Event())
        if code:
            raise Fatal(expected="the job to end with 0", found=str(code), todo="Look at its messages above.")
        found = people_found(config)
        say(f"{_HAPPENS[act]}: {count} rows. {sum(map(len, found))} records are {len(found)} people.")
        equal = _same(say, found, people.truth(act)) and equal
        if act in _SHOWN:
            _tell(say, config, people.mixed_address, *_SHOWN[act])
    say.tell(f"{len(found)} people equal the truth: {'yes' if equal else 'NO'}", "")
    return equal


def people_found(config: Config) -> Groups:
    """The records of each person, as the lake holds them."""
    rows = LakeView(config).query(PEOPLE.path, f"SELECT record, `key`, person FROM {ROWS} WHERE NOT deleted")
    return as_groups((row["record"], str(json.loads(row["key"])[0]), row["person"]) for row in rows)


def _same(say: Clock, found: Groups, truth: Groups) -> bool:
    for what, groups in (("found", found - truth), ("truth", truth - found)):
        for group in sorted(sorted(f"{one.record} {one.key}" for one in group) for group in groups)[:SHOWN]:
            say.tell(f"    {what}: {', '.join(group)}")
    return found == truth


def _tell(say: Clock, config: Config, address: str, kind: str, happened: str, when: str) -> None:
    """The newest event of this kind that the person of an address had, and their profile as a prompt gets it."""
    event = [one for story in explain(config, address, "email") for one in story.events if one.kind == kind][-1]
    say.tell("", f"  {event.person} and {', '.join(event.others)}: {happened}")
    say.tell(f"  as the row {event.cause} changed, by {', '.join(event.by)}", "")
    say.tell(f"  The profile of {address}, {when}:")
    say.tell(*(f"    {line}" for line in profile_text(config, address).splitlines()), "")


def profile_text(config: Config, address: str) -> str:
    """The profile that an address leads to, as text for a prompt."""
    with closing(lookup(config)) as people:
        (found,) = people.having("email", address)
    return render(found.document, now=datetime.now(UTC))
