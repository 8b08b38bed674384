"""The measures that come with Headrace."""

from headrace.config_measures import DIMENSIONS
from headrace.conversations.measures import Measure

_THUMBS = "kind = 'thumbs' AND rated_by = 'person'"
_STARS = "kind = 'stars' AND rated_by = 'person'"
_JUDGED = "kind = 'stars' AND rated_by = 'model' AND whole"
_FELT = "valence IS NOT NULL AND rated_by = 'person'"
_KNOWN = "outcome = 'answered'"


def _when(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _has(column: str) -> str:
    return _when(f"{column} IS NOT NULL")


def _spread(name: str, unit: str, column: str, definition: str) -> Measure:
    return Measure(name, "spread", unit, "turns", column, _has(column), definition)


OF_RATINGS = (
    Measure("thumbs_up", "share", "share", "ratings", _when(f"{_THUMBS} AND value = 1"), _when(_THUMBS),
            "Thumbs up among people's thumbs."),
    Measure("csat", "share", "share", "ratings", _when(f"{_STARS} AND value >= 4"), _when(_STARS),
            "Four or five stars among people's stars, of turns and of whole conversations."),
    Measure("judged_csat", "share", "share", "ratings", _when(f"{_JUDGED} AND value >= 4"), _when(_JUDGED),
            "Four or five stars among those that a model gave to whole conversations."),
    Measure("sentiment", "mean", "-1 to 1", "ratings", f"CASE WHEN {_FELT} THEN valence END", _when(_FELT),
            "How people's comments and corrections feel, those in languages that the model knows."),
    Measure("negative_comments", "share", "share", "ratings", _when(f"{_FELT} AND sentiment = 'negative'"),
            _when(_FELT), "Negative ones among them."),
)  # fmt: skip
OF_TURNS = (
    Measure("rated", "share", "share", "turns", _when("rated"), "1",
            "Turns that a person gave thumbs or stars; says whom thumbs and stars speak for."),
    Measure("refused", "share", "share", "turns", _when("outcome IN ('refused', 'empty')"), "1",
            "Turns whose answer was a refusal or nothing."),
    Measure("errors", "share", "share", "turns", _when("outcome = 'failed'"), "1",
            "Turns that no model answered to the end."),
    Measure("call_errors", "share", "share", "turns", "failed_calls", "calls",
            "Calls of models that failed; most are tried again, so that `errors` stays below."),
    Measure("fallback", "share", "share", "turns", _when(f"{_KNOWN} AND fallback"), _when(_KNOWN),
            "Answers of another model than the first."),
    Measure("regenerated", "share", "share", "turns", _when(f"{_KNOWN} AND regenerated"), _when(_KNOWN),
            "Answers that a later turn was asked to better."),
    Measure("retrieval_hit", "share", "share", "turns", _when("passages > 0"), "1",
            "Turns for which at least one passage was found."),
    Measure("cited", "share", "share", "turns", _when(f"{_KNOWN} AND cited > 0"), _when(_KNOWN),
            "Answers that cite at least one item."),
    Measure("cites_stale", "share", "share", "turns", _when("cited > 0 AND cites_stale"), _when("cited > 0"),
            "Those of the answers with citations that cite an item older than the settings allow."),
    _spread("latency", "seconds", "seconds", "From question to the answer's end, however it ended."),
    _spread("first_token", "seconds", "seconds_to_first", "From question to the model's first piece."),
    _spread("answer_age", "seconds", "answer_age",
            "How long ago the oldest item that the answer cites changed at its source."),
    Measure("input_tokens", "mean", "tokens a turn", "turns", "input_tokens", _has("input_tokens"),
            "Tokens of the prompt, cached ones included, where they were counted."),
    Measure("output_tokens", "mean", "tokens a turn", "turns", "output_tokens", _has("output_tokens"),
            "Tokens of the answer, where they were counted."),
    Measure("cached_tokens", "mean", "share", "turns", "CASE WHEN input_tokens > 0 THEN cached_tokens END",
            "CASE WHEN cached_tokens IS NOT NULL THEN input_tokens END",
            "Tokens of prompts that the service had kept, among all of them, where it counts these."),
    Measure("cost", "mean", "currency a turn", "turns", "cost", _has("cost"),
            "Of the call that answered, where there is a price; its numerator is what was spent.",
            (*DIMENSIONS, "currency")),
)  # fmt: skip
OF_CONVERSATIONS = (
    Measure("containment", "share", "share", "conversations", _when("NOT handed_off"), "1",
            "Conversations that did not go to a human."),
    Measure("hand_off", "share", "share", "conversations", _when("handed_off"), "1",
            "Conversations that went to a human."),
    Measure("abandoned", "share", "share", "conversations", _when("abandoned"), "1",
            "Conversations that were left: somebody said so, or the last turn was not answered."),
    Measure("resolution", "share", "share", "conversations",
            _when("NOT handed_off AND NOT abandoned AND NOT returned"), _has("returned"),
            "Conversations of known people that did not go to a human, were not left, and after whose last turn the "
            "person began no other within 24 hours. That of the newest 24 hours still falls."),
    Measure("turns", "mean", "turns a conversation", "conversations", "turns", "1",
            "How many turns a conversation has."),
)  # fmt: skip
SHIPPED = (*OF_RATINGS, *OF_TURNS, *OF_CONVERSATIONS)
