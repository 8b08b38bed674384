"""`headrace explain WHO`: which records are this person, what links them, and what became of them when and why.

With `--json` a list of objects: `person`, `asked` (ids that lead to it), `records` (each with `record`, `key`, `since`,
`known_by`), `links` (by identifier, the records that share it), `events` (each with `at`, `kind`, `person`, `others`,
`cause`, `position`, `by`, `records`, `why`), `notes`. Identifiers are masked.
"""

import argparse
from collections.abc import Iterable

from headrace.commands.options import config_option, json_option
from headrace.commands.text import aligned, moment, to_json
from headrace.config_file import load
from headrace.pipelines.explain import PersonStory, RecordOf, explain
from headrace.pipelines.explained import happened, known_by


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add whom to look for."""
    parser.add_argument(
        "who", metavar="WHO", help="a person's id, now or earlier, or an identifier such as an e-mail address"
    )
    parser.add_argument("--kind", metavar="NAME", help="the kind of identifier (default: any)")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the story of everybody it leads to."""
    stories = explain(load(args.config), args.who, args.kind)
    if args.json:
        print(to_json([story.as_dict() for story in stories]))
        return 0
    print("\n\n".join("\n".join(_told(story)) for story in stories))
    if len(stories) > 1:
        print(f"\n{len(stories)} people share this identifier; it does not make them one.")
    return 0


def _told(story: PersonStory) -> Iterable[str]:
    yield f"Person {story.person}"
    if story.asked:
        yield f"  also known under {', '.join(story.asked)}"
    yield f"\nRecords ({len(story.records)}):"
    yield aligned(("record", "key", "since", "known by"), [_record(one) for one in story.records], indent=2, widest=120)
    if story.links:
        yield "\nWhat links them:"
        yield aligned(
            ("identifier", "records"),
            [(name, ", ".join(some)) for name, some in story.links.items()],
            indent=2,
            widest=100,
        )
    yield f"\nWhat became of them ({len(story.events)}):"
    yield from (f"  {moment(one.at)}  {happened(one)}" for one in story.events)
    yield from story.notes


def _record(one: RecordOf) -> tuple[str, str, str, str]:
    return one.record, one.key, moment(one.since), known_by(one)
