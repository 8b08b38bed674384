"""What every key below `assistant` expects, with an example: merged into `HINTS`, where `assistant.` comes before."""

from headrace.config_hints_chat import CHAT

_DURATION = "a duration such as 90s, 15m, 12h or 7 days, above 0"
_COUNT = "a whole number above 0"
_MODEL = "model: {provider: bedrock, model: eu.amazon.nova-lite-v1:0}"

_ANSWERS = {
    "": ("limits of one answer", "answers: {timeout: 60s}"),
    "timeout": (_DURATION, "timeout: 60s"),
    "first_piece": (f"{_DURATION}, at most timeout", "first_piece: 20s"),
    "attempts": ("a whole number from 1 to 10", "attempts: 2"),
    "retry_after": ("a duration such as 0.5s", "retry_after: 0.5s"),
    "fallback": ("a list of further models", "fallback: [{provider: extractive}]"),
    "fallback.*": ("a model that answers: a mapping as assistant.model", "{provider: extractive, sentences: 3}"),
}

_JUDGE = {
    "": ("a model that judges conversations: a mapping with model", f"judge: {{{_MODEL}}}"),
    "model": ("a model that fills in forms", _MODEL),
    "sample": (_COUNT, "sample: 100"),
    "timeout": (_DURATION, "timeout: 60s"),
    "attempts": ("a whole number from 1 to 5", "attempts: 2"),
    "purpose": ("a purpose that people must have agreed to", "purpose: improve"),
}

_PLACES = {
    "": ("what answers questions", f"assistant: {{{_MODEL}}}"),
    "model": ("the model that answers", _MODEL),
    **{f"model.{key}": hint for key, hint in CHAT.items()},
    **{f"answers.{key}" if key else "answers": hint for key, hint in _ANSWERS.items()},
    **{f"answers.fallback.*.{key}": hint for key, hint in CHAT.items()},
    **{f"judge.{key}".rstrip("."): hint for key, hint in _JUDGE.items()},
    **{f"judge.model.{key}": hint for key, hint in CHAT.items() if key != "sentences"},
    "judge.model.provider": ("one of bedrock, sagemaker, openai", "provider: bedrock"),
}

ASSISTANT: dict[str, tuple[str, str]] = {
    f"assistant.{place}" if place else "assistant": hint for place, hint in _PLACES.items()
}
"""Place -> what is expected, and a line of YAML that is right there."""
