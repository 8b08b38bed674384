"""The judge over the lake's conversations: the sample, what a model says of it, how far it agrees with people."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headrace.config_judge import Judge
from headrace.conversations.agreement import Agreement, Pair, agreement, of_category
from headrace.conversations.events import Rating
from headrace.conversations.judge import NoVerdict, Verdict, judged
from headrace.conversations.judge_prompt import Exchange, content
from headrace.conversations.judge_sample import Candidate, Rated, Sampled, human, sample
from headrace.ports_chat import ChatModel
from headrace.stores.delta_reader import DeltaReader, literal
from headrace.stores.files import LakeFiles

TURNS, RATINGS = "turns", "ratings"
FOLDER = "judge"
"""Of the lake: one folder for each conversation with the verdicts given of it, a file for each text that was judged."""
_AT_A_TIME = 8
_TEXTS = 200
"""Conversations whose texts are read by one query."""
Query = Callable[[str, str], Sequence[Mapping[str, Any]]]
"""(table, SQL over `rows`) -> rows."""


def query_of_lake(root: str) -> Query:
    """Reads through delta-rs."""
    reader = DeltaReader(root)
    return reader.query


class LakeCache:
    """Verdicts as files of the lake. As `conversations.judge.Cache`."""

    def __init__(self, files: LakeFiles) -> None:
        self._files = files

    def get(self, conversation: str, key: str) -> str | None:
        """As in `Cache`."""
        return self._files.read_text(_file(conversation, key))

    def put(self, conversation: str, key: str, text: str) -> None:
        """As in `Cache`."""
        self._files.replace_text(_file(conversation, key), text)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a run found.

    Attributes:
        verdicts, without: by sampled conversation.
        agreement: with people, of those that people rated too.
        replaced: ratings of other versions or models of the judge, to be taken back where the new ones are sent.
    """

    sampled: list[Sampled]
    verdicts: list[Verdict]
    without: list[NoVerdict]
    agreement: Agreement
    replaced: list[Rating]

    def ratings(self) -> list[Rating]:
        """The events of the verdicts, and of those that they replace."""
        made = [rating for one in self.verdicts if (rating := one.rating())]
        return [*made, *self.replaced]


def candidates(query: Query, since: datetime | None, until: datetime | None, purpose: str | None) -> list[Candidate]:
    """The conversations whose first turn lies in that time, with what people said of them."""
    turns = "SELECT conversation, MIN(at) AS began, {agreed} AS agreed FROM rows GROUP BY conversation"
    agreed = f"MIN(CASE WHEN {_holds(purpose)} THEN 1 ELSE 0 END)" if purpose else "1"
    known = [
        str(row["conversation"])
        for row in query(TURNS, turns.format(agreed=agreed))
        if row["agreed"] and (since is None or row["began"] >= since) and (until is None or row["began"] < until)
    ]
    sql = "SELECT conversation, turn, kind, value, sentiment FROM rows WHERE `by` = 'person'"
    rated: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in query(RATINGS, sql):
        rated[str(row["conversation"])].append(row)
    return [_candidate(one, rated[one]) for one in known]


def judge_lake(
    settings: Judge,
    model: ChatModel,
    query: Query,
    files: LakeFiles,
    *,
    size: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Judged:
    """Judge a sample. Raises Fatal where no call of the model will work.

    Args:
        size: conversations at most; the settings' where not given.
        since, until: only conversations that began in this time.
    """
    sampled = sample(candidates(query, since, until, settings.purpose), size or settings.sample)
    names = [one.candidate.conversation for one in sampled]
    texts, cache = contents(query, names), LakeCache(files)
    with ThreadPoolExecutor(min(_AT_A_TIME, settings.model.parallel)) as threads:
        found = list(
            threads.map(
                lambda name: judged(name, texts[name], model, cache, attempts=settings.attempts, now=now), names
            )
        )
    verdicts = [one for one in found if isinstance(one, Verdict)]
    return Judged(
        sampled,
        verdicts,
        [one for one in found if isinstance(one, NoVerdict)],
        agreement(_pairs(sampled, verdicts)),
        list(_replaced(query, verdicts, now())),
    )


def contents(query: Query, conversations: Sequence[str]) -> dict[str, str]:
    """What the judge is shown of each."""
    turns: dict[str, list[Exchange]] = {name: [] for name in conversations}
    columns = "conversation, turn, question, answer, outcome"
    for start in range(0, len(conversations), _TEXTS):
        some = ", ".join(map(literal, conversations[start : start + _TEXTS]))
        for row in query(TURNS, f"SELECT {columns} FROM rows WHERE conversation IN ({some})"):
            said = row["question"] or "", row["answer"] or "", row["outcome"] or "answered"
            turns[str(row["conversation"])].append(Exchange(int(row["turn"]), *said))
    return {name: content(some) for name, some in turns.items()}


def _candidate(conversation: str, rows: Iterable[Mapping[str, Any]]) -> Candidate:
    some = list(rows)
    felt = {str(row["sentiment"]) for row in some if row["sentiment"]}
    ratings = [Rated(str(row["kind"]), row["value"], row["turn"] is None) for row in some]
    return Candidate(conversation, human(ratings), "negative" if "negative" in felt else "other" if felt else "none")


def _pairs(sampled: Sequence[Sampled], verdicts: Sequence[Verdict]) -> Iterator[Pair]:
    said = {one.conversation: of_category(one.category) for one in verdicts}
    for one in sampled:
        theirs, judge = one.candidate.human, said.get(one.candidate.conversation)
        if theirs is not None and judge is not None:
            yield Pair(theirs, judge, one.weight)


def _replaced(query: Query, verdicts: Sequence[Verdict], now: datetime) -> Iterator[Rating]:
    """What other judges said of the same conversations: two would count twice."""
    new = {one.conversation: one.rater for one in verdicts}
    columns, stars = "conversation, at, revision, rater, value", "kind = 'stars' AND turn IS NULL"
    sql = f"SELECT {columns} FROM rows WHERE `by` = 'model' AND {stars}"
    for row in query(RATINGS, sql):
        name, rater = str(row["conversation"]), row["rater"]
        if name in new and rater != new[name] and "@j" in str(rater):
            said = Rating(name, None, row["at"], "model", "stars", row["value"], None, rater, int(row["revision"] or 0))
            yield said.taken_back(now)


def _holds(purpose: str) -> str:
    return f"array_has(purposes, {literal(purpose)})"


def _file(conversation: str, key: str) -> str:
    return f"{FOLDER}/{hashlib.sha256(conversation.encode('utf-8', 'replace')).hexdigest()[:32]}/{key}.json"
