"""`headrace ask "QUESTION"`: the assistant's answer, or with `--passages` what it would be made of.

With `--customer` who asks takes part in both, with what was agreed to only. `--passages --customer WHO --json` is an
object of `customer` (`person`; `asked`, an id that leads to it; `ages`, by table the seconds since its newest change;
`text`) and `passages`.
"""

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, get_args

from headrace.commands.ask_answer import tell
from headrace.commands.options import config_option, json_option
from headrace.commands.text import cut, duration, to_json
from headrace.config_assistant import Assistant
from headrace.config_base import parse_duration
from headrace.config_file import load
from headrace.context.assemble import Assembler
from headrace.context.profile import Profile
from headrace.context.profile_consent import shown
from headrace.context.profile_text import render
from headrace.context.retrieve import Found, Mode, retrieve
from headrace.pipelines.assistant import Opened, knowledge
from headrace.pipelines.conversing import Conversing
from headrace.pipelines.people_lookup import person
from headrace.ports import Filters


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the question, who asks and what may be found."""
    parser.add_argument("question", metavar="QUESTION")
    parser.add_argument("--passages", action="store_true", help="show what is found, ask no model")
    parser.add_argument("--customer", metavar="WHO", help="who asks: an id, an earlier id or an identifier")
    parser.add_argument("--conversation", metavar="ID", help="go on with this conversation, which is remembered")
    parser.add_argument("--store", metavar="NAME", help="a store of profiles of the settings (default: the first)")
    parser.add_argument("--index", metavar="NAME", help="an index of the settings (default: the first)")
    parser.add_argument("--limit", type=int, default=5, metavar="N", help="at most N passages (default: 5)")
    parser.add_argument("--mode", choices=get_args(Mode), default="hybrid", help="default: hybrid")
    parser.add_argument("--tenant", metavar="NAME", help="passages of this tenant; none: of no tenant")
    for name, what in (("audience", "a group the reader is in"), ("tag", "only with this tag")):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help=f"{what}; may come again")
    for name, what in (("language", "only in this language"), ("source", "only of this feed")):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help=f"{what}; may come again")
    parser.add_argument("--max-age", metavar="TIME", help="only of documents changed since, e.g. 36h")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the answer and what it cites, or who asks and the passages, best first."""
    settings = load(args.config)
    knowledge(settings)  # said before anything is opened
    now, filters = datetime.now(UTC), _filters(args)
    customer = person(settings, args.customer, args.store) if args.customer is not None else None
    with Opened(settings, args.index, args.mode, customer) as opened:
        if not args.passages:
            return _answered(args, settings.assistant, opened.assembler(args.limit), customer, filters, now)
        found = retrieve(opened.index, opened.embedder, args.question, filters, args.limit, args.mode)
    if args.json:
        passages = [asdict(one) for one in found]
        print(to_json({"customer": _as_data(customer, now), "passages": passages} if customer else passages))
        return 0
    if customer:
        print("\n".join(_shown(customer, now)))
    for place, one in enumerate(found, 1):
        print(f"{place}. {_about(one)}\n   {cut(' '.join(one.text.split()), 300)}\n")
    print(f"{len(found)} passage{'s' * (len(found) != 1)}")
    return 0


def _answered(
    args: argparse.Namespace,
    settings: Assistant,
    assembler: Assembler,
    customer: Profile | None,
    filters: Filters,
    now: datetime,
) -> int:
    agreed = shown(customer.document, None, now).granted if customer else ()
    with Conversing(settings, args.conversation) as conversing:
        who = customer.person if customer else None
        context = assembler.assemble(args.question, who, conversing.before(), filters=filters, now=now)
        return tell(context, assembler.template, settings, conversing, as_json=args.json, purposes=agreed)


def _filters(args: argparse.Namespace) -> Filters:
    return Filters(
        args.tenant, tuple(args.audience), tuple(args.tag), tuple(args.language), tuple(args.source),
        parse_duration(args.max_age) if args.max_age else None,
    )  # fmt: skip


def _shown(customer: Profile, now: datetime) -> Iterable[str]:
    if customer.asked:
        yield f"{customer.asked} is {customer.person} now."
    yield render(customer.document, now=now)
    ages = [f"{table} {duration(age)}" for table, age in sorted(customer.ages(now).items()) if age is not None]
    yield f"The newest change it knows of, by table, is this old: {', '.join(ages) or 'nobody knows'}.\n"


def _as_data(customer: Profile, now: datetime) -> dict[str, Any]:
    text = render(customer.document, now=now)
    return {"person": customer.person, "asked": customer.asked, "ages": customer.ages(now), "text": text}


def _about(one: Found) -> str:
    place = " > ".join(filter(None, (one.title, *one.heading)))
    parts = [f"{name} {part.score:.2f}" for name, part in (("words", one.words), ("vector", one.vector)) if part]
    about = f"{one.source}/{one.document}[{one.start}:{one.end}]"
    age = f", {duration(one.age)} old" if one.age is not None else ""
    return f"{one.score:.2f} ({', '.join(parts)})  {place or one.document}\n   {about}{age}"
