"""The demo's fourth part: scripted travellers ask and rate; the measures of that equal what the script has counted."""

import threading
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from headrace.config import Config
from headrace.conversations.track import JOB
from headrace.errors import Fatal
from headrace.pipelines import track_feedback
from headrace.pipelines.demo_clock import Clock
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, literal
from headrace.tables import MEASURES, REJECTS
from headrace.travel.talk_truth import TOLD, Sums, truth
from headrace.travel.travellers import CHANNELS, PROMPTS, Travellers, write_part

FOLDER = "events"
SHOWN = 5
_PACKAGES = ("py3langid", "vaderSentiment")

_HAPPENS = (
    "Most of what they said arrives, shuffled, some of it twice",
    "The rest arrives late: turns after their ratings, changed thumbs, ratings taken back, questions erased",
)


def missing_package() -> str | None:
    """A package that finding out how comments feel needs and that is not installed."""
    return next((name for name in _PACKAGES if find_spec(name) is None), None)


def play(say: Clock, config: Config, folder: Path, travellers: Travellers) -> bool:
    """Let them talk in two parts, the second of which changes what the first has said.

    Returns:
        Whether every measure that the script counts equals its count, for each intent.

    Raises:
        Fatal: the job ended with another code than 0.
    """
    kinds = Counter(event["event"] for event in travellers.final.values())
    say(
        f"Travellers: a script has them ask {kinds['turn']} questions and give {kinds['rating']} ratings. No model is "
        "asked: the answers are scripted too, some of them wrong."
    )
    for number, part in enumerate(travellers.parts()):
        write_part(part, number, folder / FOLDER)
        code = track_feedback.run(config, once=True, stop=threading.Event())
        if code:
            raise Fatal(expected="the job to end with 0", found=str(code), todo="Look at its messages above.")
        say(f"{_HAPPENS[number]}: {len(part)} events. {_counted(config)}")
    equal = _judge(say, found(config), truth(travellers.final)) and not _refused(config)
    _tell(say, config)
    say.tell(f"{len(TOLD)} measures equal the truth: {'yes' if equal else 'NO'}", "")
    return equal


def found(config: Config) -> Sums:
    """The measures of `TOLD` by intent, of the scripted channels, as the lake holds them."""
    names, channels = (", ".join(map(literal, some)) for some in (TOLD, CHANNELS))
    rows = LakeView(config).query(
        MEASURES.path,
        f"SELECT measure, intent, sum(numerator) AS numerator, sum(denominator) AS denominator FROM {ROWS} "
        f"WHERE measure IN ({names}) AND channel IN ({channels}) GROUP BY measure, intent",
    )
    return {(row["measure"], row["intent"]): (row["numerator"], row["denominator"]) for row in rows}


def _judge(say: Clock, found: Sums, truth: Sums) -> bool:
    different = sorted(key for key in found.keys() | truth.keys() if found.get(key) != truth.get(key))
    for key in different[:SHOWN]:
        say.tell(f"    {key[0]} of {key[1]}: found {found.get(key)}, truth {truth.get(key)}")
    return not different


def _refused(config: Config) -> int:
    view = LakeView(config)
    path = REJECTS.path.format(job=JOB)
    if not (Path(config.lake) / path).exists():
        return 0
    return int(view.query(path, f"SELECT count(*) AS n FROM {ROWS}")[0]["n"])


def _counted(config: Config) -> str:
    rows = LakeView(config).query(MEASURES.path, f"SELECT count(*) AS n FROM {ROWS}")
    return f"{rows[0]['n']:,} rows of measures."


def _tell(say: Clock, config: Config) -> None:
    names = ("thumbs_up", "csat", "regenerated", "negative_comments")
    rows = LakeView(config).query(
        MEASURES.path,
        f"SELECT measure, prompt, sum(numerator) AS numerator, sum(denominator) AS denominator FROM {ROWS} "
        f"WHERE measure IN ({', '.join(map(literal, names))}) GROUP BY measure, prompt",
    )
    parts = {(row["measure"], row["prompt"]): (row["numerator"], row["denominator"]) for row in rows}
    say.tell("", "  What the travellers thought, by version of the prompt", f"    {'':<18}{'v1':>16}{'v2':>16}")
    for name in names:
        cells = (_share(*parts.get((name, prompt), (0.0, 0.0))) for prompt in PROMPTS)
        say.tell(f"    {name:<18}" + "".join(f"{cell:>16}" for cell in cells))
    say.tell("")


def _share(numerator: float, denominator: float) -> str:
    return f"{numerator:.0f} of {denominator:.0f}, {numerator / denominator:.0%}" if denominator else "none"
