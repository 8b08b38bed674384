"""What measures must come to, counted plainly from the turns and ratings that count in the end."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from headrace.travel.talk_events import Event

Sums = dict[tuple[str, str | None], tuple[float, float]]
"""By measure and intent: numerator and denominator."""
TOLD = ("thumbs_up", "csat", "judged_csat", "rated", "refused", "errors", "call_errors", "fallback", "regenerated",
        "retrieval_hit", "cited", "cites_stale", "input_tokens", "output_tokens", "cost", "hand_off", "abandoned",
        "containment", "turns")  # fmt: skip


def truth(final: Mapping[str, Event]) -> Sums:
    """The measures of `TOLD`, by intent; what comes to nothing is left out."""
    living = [event for event in final.values() if event["operation"] == "upsert"]
    turns = {(one["conversation"], one["turn"]): one for one in living if one["event"] == "turn"}
    first: dict[str, Event] = {}
    for conversation, number in sorted(turns):
        first.setdefault(conversation, turns[conversation, number])
    ratings = []
    for one in living:
        if one["event"] == "rating":
            whole = one["turn"] is None
            of = first.get(one["conversation"]) if whole else turns.get((one["conversation"], one["turn"]))
            if of:
                ratings.append((one, of["intent"]))
    sums: Counter[tuple[str, str | None, int]] = Counter()
    for measure, intent, numerator, denominator in (
        *_of_ratings(ratings), *_of_turns(turns, ratings), *_of_conversations(turns, first, ratings),
    ):  # fmt: skip
        sums[measure, intent, 0] += numerator  # type: ignore[assignment]
        sums[measure, intent, 1] += denominator  # type: ignore[assignment]
    found = {(measure, intent) for measure, intent, _ in sums}
    parts = {key: (float(sums[*key, 0]), float(sums[*key, 1])) for key in found}
    return {key: both for key, both in parts.items() if any(both)}


Part = tuple[str, str | None, float, float]


def _of_ratings(ratings: Iterable[tuple[Event, str | None]]) -> Iterator[Part]:
    for one, intent in ratings:
        if (one["by"], one["kind"]) == ("person", "thumbs"):
            yield "thumbs_up", intent, one["value"] == 1, 1
        if (one["by"], one["kind"]) == ("person", "stars"):
            yield "csat", intent, one["value"] >= 4, 1
        if (one["by"], one["kind"], one["turn"]) == ("model", "stars", None):
            yield "judged_csat", intent, one["value"] >= 4, 1


def _of_turns(turns: Mapping[tuple[str, int], Event], ratings: Iterable[tuple[Event, str | None]]) -> Iterator[Part]:
    rated = {
        (one["conversation"], one["turn"])
        for one, _ in ratings
        if one["by"] == "person" and one["kind"] in ("thumbs", "stars")
    }
    again = {(one["conversation"], one["regenerates"]) for one in turns.values()}
    for key, one in turns.items():
        answered, cited = one["outcome"] == "answered", [
            item for item in one["items"] if item["id"] in one["citations"]
        ]  # fmt: skip
        counts: dict[str, tuple[float, float]] = {
            "rated": (key in rated, 1),
            "refused": (one["outcome"] in ("refused", "empty"), 1),
            "errors": (one["outcome"] == "failed", 1),
            "call_errors": (sum(call["failure"] is not None for call in one["tries"]), len(one["tries"])),
            "fallback": (answered and one["fallback"], answered),
            "regenerated": (answered and key in again, answered),
            "retrieval_hit": (bool(one["items"]), 1),
            "cited": (answered and bool(cited), answered),
            "cites_stale": (any(item["stale"] for item in cited), bool(cited)),
        }
        for name in ("input_tokens", "output_tokens", "cost"):
            if name in one:
                counts[name] = (one[name], 1)
        yield from ((name, one["intent"], *both) for name, both in counts.items())


def _of_conversations(
    turns: Mapping[tuple[str, int], Event], first: Mapping[str, Event], ratings: Iterable[tuple[Event, str | None]]
) -> Iterator[Part]:
    said: dict[str, set[str]] = defaultdict(set)
    for one, _ in ratings:
        said[one["conversation"]].add(one["kind"])
    count: Callable[[str], int] = Counter(conversation for conversation, _ in turns).__getitem__
    for conversation, one in first.items():
        last = turns[max(key for key in turns if key[0] == conversation)]
        gone = "hand_off" in said[conversation]
        left = "abandon" in said[conversation] or last["outcome"] != "answered"
        yield "hand_off", one["intent"], gone, 1
        yield "containment", one["intent"], not gone, 1
        yield "abandoned", one["intent"], left, 1
        yield "turns", one["intent"], count(conversation), 1
