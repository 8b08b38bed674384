"""What a batch is about to do, kept in a file of the lake until it is done: after a crash it is done again, whole.

Rows may change again before the next start. A batch that was looked up anew would then miss whom the unfinished one had
already moved, merged or told stores of.
"""

from dataclasses import dataclass

import msgspec

from headrace.identifiers.normalise import Value
from headrace.pipelines.profile_placed import Moved
from headrace.pipelines.profile_progress import FOLDER
from headrace.profiles.identity import Event, Outcome, Person
from headrace.profiles.links import Ref
from headrace.stores.files import LakeFiles

PLACE = f"{FOLDER}/plan.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch, before anything of it is written.

    Attributes:
        changed: the records whose rows changed.
        moved: the rows that belong to somebody and changed.
    """

    batch: int
    changed: list[Ref]
    outcome: Outcome
    moved: list[Moved]


class _Told(msgspec.Struct):
    """A plan as JSON can hold it: its keys are text only."""

    batch: int
    changed: list[Ref]
    moved: list[Moved]
    people: list[Person]
    stored: set[Ref]
    added: list[tuple[Value, Ref]]
    removed: list[tuple[Value, Ref]]
    aliases: dict[str, str | None]
    events: list[Event]
    hubs: list[tuple[Value, int]]
    persons: set[str]


def keep(files: LakeFiles, plan: Plan) -> None:
    """Keep it, before the first write."""
    out = plan.outcome
    told = _Told(
        plan.batch, plan.changed, plan.moved, list(out.people.values()), out.stored, out.added, out.removed,
        out.aliases, out.events, list(out.hubs.items()), out.persons,
    )  # fmt: skip
    files.replace_text(PLACE, msgspec.json.encode(told).decode())


def read(files: LakeFiles) -> Plan | None:
    """The plan that is there; None where the last batch was done."""
    text = files.read_text(PLACE)
    if text is None:
        return None
    told = msgspec.json.decode(text, type=_Told)
    people = {person.node.ref: person for person in told.people}
    outcome = Outcome(
        people, told.stored, told.added, told.removed, told.aliases, told.events, dict(told.hubs), told.persons
    )
    return Plan(told.batch, told.changed, outcome, told.moved)


def done(files: LakeFiles) -> None:
    """Forget it, once the job's progress says that the batch is done."""
    files.delete(PLACE)
