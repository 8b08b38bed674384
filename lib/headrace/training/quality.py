"""Examples that are not good enough to learn from, and why. Rules see signs, words and lengths, no meaning."""

from collections.abc import Callable, Mapping
from typing import Literal

from headrace.training.example import Example
from headrace.training.quality_rules import languages, phrases, shape, wording
from headrace.training.quality_rules.parts import Quality
from headrace.training.refused import Refused

Reason = Literal[
    "out_of_turn", "empty", "same_answers", "only_placeholders", "only_signs", "too_short", "too_long",
    "too_many_tokens", "reserved_word", "few_letters", "repeats", "broken_off", "error", "refusal", "other_language",
    "answered_in_another", "abusive",
]  # fmt: skip
Rule = Callable[[Example, Quality], str | None]
RULES: Mapping[Reason, Rule] = {
    "out_of_turn": shape.out_of_turn,
    "empty": shape.empty,
    "same_answers": shape.same_answers,
    "only_placeholders": wording.only_placeholders,
    "only_signs": wording.only_signs,
    "too_short": shape.too_short,
    "too_long": shape.too_long,
    "too_many_tokens": shape.too_many_tokens,
    "reserved_word": phrases.reserved_word,
    "few_letters": wording.few_letters,
    "repeats": wording.repeats,
    "broken_off": wording.broken_off,
    "error": phrases.error,
    "refusal": phrases.refusal,
    "other_language": languages.other_language,
    "answered_in_another": languages.answered_in_another,
    "abusive": phrases.abusive,
}
"""In the order in which they are asked: the first that has something to say counts. Long texts never reach the rules
that read every word."""


def refused(example: Example, quality: Quality) -> Refused | None:
    """Why an example is left out; None where it may stay.

    It belongs after the step `privacy`, which makes placeholders. How an answer ended `choose.fault_of` knows.
    """
    for reason, rule in RULES.items():
        detail = rule(example, quality)
        if detail is not None:
            return Refused(example.id, "quality", reason, detail)
    return None
