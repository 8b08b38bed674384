"""`headrace judge`: how satisfied people were with a sample of conversations, as a model sees it.

With `--json` an object: `version`, `model`, `sampled` (with `conversation`, `stratum`, `weight`), `verdicts` (with
`conversation`, `category`, `reason`, `at`, `cached`), `without` (with `why`), `agreement` (`n`, `same`, `kappa`,
`weighted_kappa`, `enough`, `confusion`), `sent`.
"""

import argparse
from collections import Counter
from typing import Any

from headrace.commands.options import TIMES, config_option, count_of, json_option, time_of
from headrace.commands.text import aligned, cut, to_json
from headrace.config import Config
from headrace.config_file import load
from headrace.config_judge import Judge
from headrace.conversations.agreement import Agreement
from headrace.conversations.judge_prompt import STARS, VERSION
from headrace.conversations.judge_sample import HUMAN
from headrace.errors import ConfigError
from headrace.pipelines.judging import Judged, candidates, judge_lake, query_of_lake
from headrace.stores.chat_models import chat_model
from headrace.stores.event_sinks import sink
from headrace.stores.files import LakeFiles


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sample and what is done with it."""
    parser.add_argument("--sample", type=count_of, metavar="N", help="at most N conversations (default: the settings')")
    for name in ("since", "until"):
        parser.add_argument(f"--{name}", metavar="TIME", help=f"only conversations that began {name} TIME: {TIMES}")
    parser.add_argument("--count", action="store_true", help="only say what there is to be judged; asks no model")
    parser.add_argument("--send", action="store_true", help="send the verdicts as ratings to assistant.events")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print what was found."""
    config = load(args.config)
    settings = _settings(config)
    since, until = time_of("--since", args.since), time_of("--until", args.until)
    query = query_of_lake(config.lake)
    if args.count:
        strata = Counter(one.stratum for one in candidates(query, since, until, settings.purpose))
        print(to_json(dict(strata)) if args.json else aligned(("stratum", "conversations"), sorted(strata.items())))
        return 0
    if args.send and config.assistant.events is None:
        todo = "Name the stream under assistant.events, which `track_feedback` reads."
        raise ConfigError(where="--send", expected="a stream of events", found="none", todo=todo)
    seconds = settings.timeout.total_seconds()
    model = chat_model(settings.model, seconds, seconds, "assistant.judge.model")
    try:
        found = judge_lake(settings, model, query, LakeFiles(config.lake), size=args.sample, since=since, until=until)
    finally:
        model.close()
    sent = _sent(config, found) if args.send else 0
    if args.json:
        print(to_json({"version": VERSION, "model": model.name, **_body(found), "sent": sent}))
    else:
        _tell(found, model.name, sent)
    return 0


def _settings(config: Config) -> Judge:
    if config.assistant.judge is None:
        todo = "Name a model that fills in forms: assistant: {judge: {model: {provider: bedrock, model: ...}}}."
        raise ConfigError(where="assistant.judge", expected="a judge", found="none", todo=todo)
    return config.assistant.judge


def _sent(config: Config, found: Judged) -> int:
    assert config.assistant.events is not None
    stream, ratings = sink(config.assistant.events), found.ratings()
    try:
        for one in ratings:
            stream.send(one.to_json())
    finally:
        stream.close()
    return len(ratings)


def _tell(found: Judged, model: str, sent: int) -> None:
    rows = [
        (one.conversation, one.category, "kept" if one.cached else "new", cut(one.reason, 100))
        for one in found.verdicts
    ]
    print(aligned(("conversation", "category", "verdict", "reason"), rows, widest=100))
    for one in found.without:
        print(f"{one.conversation}: no verdict: {cut(one.why, 200)}")
    counts = Counter(one.category for one in found.verdicts)
    shares = ", ".join(f"{name} {counts[name]}" for name in (*STARS, "cannot_tell") if counts[name])
    print(f"\n{model}, judge {VERSION}: {len(found.verdicts)} verdicts ({shares or 'none'})\n")
    _agreed(found.agreement)
    if sent:
        print(f"\n{sent} ratings were sent; {len(found.replaced)} of them take back an earlier judge's.")


def _agreed(found: Agreement) -> None:
    if not found.n:
        print("Nobody rated any of them: how far the judge agrees with people is unknown.")
        return
    rows = [(human, *(found.confusion[human, judged] for judged in HUMAN)) for human in HUMAN]
    print(aligned(("people \\ judge", *HUMAN), rows))
    known = [f"{name} {value:.2f}" for name, value in (
        ("Cohen's kappa", found.kappa), ("weighted for all conversations", found.weighted_kappa),
    ) if value is not None]  # fmt: skip
    few = "" if found.enough else "; too few to trust"
    print(f"\nSame for {found.same} of {found.n} that people rated{few}. {', '.join(known) or 'No kappa'}.")


def _body(found: Judged) -> dict[str, Any]:
    said = found.agreement
    return {
        "sampled": [
            {"conversation": one.candidate.conversation, "stratum": one.candidate.stratum, "weight": one.weight}
            for one in found.sampled
        ],
        "verdicts": [
            {"conversation": one.conversation, "category": one.category, "reason": one.reason, "at": one.at,
             "cached": one.cached}
            for one in found.verdicts
        ],
        "without": [{"conversation": one.conversation, "why": one.why} for one in found.without],
        "agreement": {
            "n": said.n, "same": said.same, "kappa": said.kappa, "weighted_kappa": said.weighted_kappa,
            "enough": said.enough,
            "confusion": {f"{human}/{judged}": count for (human, judged), count in said.confusion.items()},
        },
    }  # fmt: skip
