"""Which languages an example is in."""

from headrace.training.example import Example
from headrace.training.quality_rules.parts import Quality, Said, good_answers, said


def other_language(example: Example, quality: Quality) -> str | None:
    """A language that is not among those of the settings.

    Short texts tell too little: where the detector is not sure of question and answer together, the declared language
    counts, and where none is declared, the example stays.
    """
    if not quality.languages:
        return None
    found = language(example, quality)
    return None if found is None or found in quality.languages else found


def language(example: Example, quality: Quality) -> str | None:
    """The language of the last question and the good answer; else what is declared, of which `en-GB` is `en`."""
    told = [*[one.text for one in list(_messages(example))[-1:]], *[one.text for one in good_answers(example)]]
    found = quality.detect("\n".join(told)) if quality.detect and told else None
    return found or (example.language or "")[:2].lower() or None


def answered_in_another(example: Example, quality: Quality) -> str | None:
    """An answer in another language than its question, where both are long enough to be sure."""
    if quality.detect is None:
        return None
    asked = [quality.detect(one.text) for one in list(_messages(example))[-1:]]
    for one in good_answers(example) if asked and asked[0] else ():
        found = quality.detect(one.text)
        if found and found != asked[0]:
            return f"{one.where}: {found} to {asked[0]}"
    return None


def _messages(example: Example) -> list[Said]:
    return [one for one in said(example) if one.by == "user"]
