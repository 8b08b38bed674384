"""Who spoke when, empty texts, lengths."""

import unicodedata

from headrace.training.example import Example
from headrace.training.quality_rules.parts import Quality, answers, said

CHARACTERS_A_TOKEN = 3


def out_of_turn(example: Example, quality: Quality) -> str | None:
    """Two of the same in a row, or a conversation that does not begin and end with the user."""
    if example.kind == "text":
        return None
    roles = [one.role for one in example.messages]
    if not roles:
        return "no question"
    for place, role in enumerate(roles):
        if role != ("user", "assistant")[place % 2]:
            return f"messages[{place}] is the {role}'s"
    return None if roles[-1] == "user" else "the last message is the assistant's"


def empty(example: Example, quality: Quality) -> str | None:
    """A text without a sign that can be seen, or no answer at all."""
    if not any(answers(example)):
        return "no answer"
    return next((one.where for one in said(example) if not _seen(one.text)), None)


def _seen(text: str) -> bool:
    return any(unicodedata.category(sign)[0] not in "ZC" for sign in text)


def too_short(example: Example, quality: Quality) -> str | None:
    """Fewer characters than its role needs."""
    for one in said(example):
        least = getattr(quality, one.by).least
        if len(one.text.strip()) < least:
            return f"{one.where}: {len(one.text.strip())} characters; at least {least}"
    return None


def too_long(example: Example, quality: Quality) -> str | None:
    """More characters than its role may have."""
    for one in said(example):
        most = getattr(quality, one.by).most
        if len(one.text) > most:
            return f"{one.where}: {len(one.text)} characters; at most {most}"
    return None


def too_many_tokens(example: Example, quality: Quality) -> str | None:
    """More tokens than a trainer takes; of `dpo` the longer answer counts."""
    pair = [len(one) for one in (example.chosen, example.rejected) if one is not None]
    count = tokens(sum(map(len, example.texts())) - sum(pair) + max(pair, default=0))
    return f"about {count} tokens; at most {quality.tokens}" if count > quality.tokens else None


def tokens(characters: int) -> int:
    """About how many tokens they are, rather too many than too few."""
    return -(-characters // CHARACTERS_A_TOKEN)


def same_answers(example: Example, quality: Quality) -> str | None:
    """A better answer that is the worse one, as tied ratings would make it."""
    if example.chosen is None or example.rejected is None:
        return None
    return "chosen and rejected" if example.chosen.split() == example.rejected.split() else None
