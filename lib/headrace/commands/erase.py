"""`headrace erase WHO`: ask all jobs to erase a person; with `--report`, what became of it.

With `--json` one object: `request` (null with --dry-run), `scope`, `people`, `records`, `rows` (by table) and `jobs`;
with `--report` a list of {request, scope, requested_at, jobs, not_able, places, left}.
"""

import argparse
from collections.abc import Iterator

from headrace.commands.options import config_option, json_option
from headrace.commands.text import aligned, moment, number, to_json
from headrace.config import Config
from headrace.config_file import load
from headrace.errors import ConfigError
from headrace.pipelines import erasing
from headrace.pipelines.erase_report import Report, reports
from headrace.pipelines.erase_request import Subject, request, subject


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add whom to erase, and how far."""
    parser.add_argument("who", metavar="WHO", help="a person's id, now or earlier, or an identifier of one person")
    parser.add_argument("--id", action="store_true", help="WHO is an id as conversations name it; look nobody up")
    parser.add_argument("--training-only", action="store_true", help="only out of datasets, and of later ones")
    parser.add_argument("--dry-run", action="store_true", help="say what would be erased, and ask for nothing")
    parser.add_argument(
        "--report", action="store_true", help="what became of it: when it went, what is left until when"
    )
    json_option(parser)
    config_option(parser)
    parser.epilog = (
        "A request is a file in <lake>/requests/erasures/ with keyed hashes. Each job carries it out in its next\n"
        "batch, or at its next start, and refuses what comes of that person later; docs/erasure.md says how far."
    )


def run(args: argparse.Namespace) -> int:
    """Ask, or report; 1 where a report shows that a job still has something to do."""
    config = load(args.config)
    if not args.who.strip():
        todo = "Name a person's id, or an identifier of one person."
        raise ConfigError(where="WHO", expected="somebody", found="an empty text", todo=todo)
    if args.report:
        found = reports(config, args.who)
        print(to_json([one.as_dict() for one in found]) if args.json else "\n\n".join(map(_reported, found)))
        return 0 if all(done for one in found for done in one.jobs.values()) else 1
    scope = "training" if args.training_only else "all"
    who = subject(config, args.who, as_id=args.id)
    jobs = erasing.jobs_of(config, scope)
    erasing.hashing(config)
    name = None if args.dry_run else request(config, who, scope).name
    if args.json:
        body = {"people": who.work.people, "records": who.work.records, "rows": who.rows, "jobs": jobs}
        print(to_json({"request": name and f"{erasing.FOLDER}/{name}", "scope": scope, **body}))
    else:
        print("\n".join(_told(config, who, scope, jobs, name)))
    return 0


def _told(config: Config, who: Subject, scope: str, jobs: tuple[str, ...], name: str | None) -> Iterator[str]:
    ids = f"{who.work.people[0]}" + (f", earlier {', '.join(who.work.people[1:])}" if who.work.people[1:] else "")
    yield f"Person {ids}"
    yield aligned(("table", "rows"), [(table, count) for table, count in who.rows.items()], indent=2)
    yield "Turns and ratings that name nobody and stand in their conversations go too; the job finds them."
    if name is None:
        yield f"Nothing was asked for. It would concern {', '.join(jobs) or 'no job of these settings'}."
        return
    yield f"Written to {erasing.FOLDER}/{name}. These carry it out in their next batch, or at their next start:"
    yield from (f"    headrace run {job} --once" for job in jobs if job in erasing.ABLE)
    for job in (job for job in jobs if job not in erasing.ABLE):
        yield f"{job} cannot erase yet: what it owns still holds the person, and the request stays open for it."


def _reported(one: Report) -> str:
    lines = [f"{one.request}: {'training only, ' if one.scope == 'training' else ''}asked at {one.requested_at}"]
    done = [(job, at or ("cannot yet" if job in one.not_able else "open")) for job, at in one.jobs.items()]
    lines += [aligned(("job", "done"), done, indent=2, widest=60)]
    if one.places:
        rows = [
            (place.place, place.rows, moment(place.unreadable_at), "gone" if place.gone else moment(place.gone_by))
            for place in one.places
        ]
        lines += [aligned(("place", "rows", "unreadable since", "gone by"), rows, indent=2, widest=60)]
    lines += [f"  {place.place}: {text}" for place in one.places for text in place.detail]
    lines += [f"Left ({number(len(one.left))}):", *(f"  {text}" for text in one.left)]
    return "\n".join(lines)
