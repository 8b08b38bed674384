"""The language a text is written in."""

import re
import threading
from typing import Any

_SAMPLE = 1_000
_SURE = 0.8
"""py3langid's confidence does not grow with length; right guesses on a sentence or more lie above, names below."""

_NO_PROSE = re.compile(r"^(?:`{3,}|~{3,})[^\n]*\n.*?^(?:`{3,}|~{3,})[ ]*$|`[^`\n]*`|https?://\S+", re.M | re.S)
_LETTER_RUNS = re.compile(r"[^\W\d_]+")
_DENSE = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that say as much in one character as others in several."""

_lock = threading.Lock()
_model: Any = None


def detect(text: str) -> str | None:
    """ISO 639-1 code; None for short, mixed or unclear text, and for text that is mostly code."""
    prose = _NO_PROSE.sub(" ", text[: 4 * _SAMPLE])
    words = _LETTER_RUNS.findall(prose)
    weight = sum(len(word) for word in words) + 3 * len(_DENSE.findall(prose[:_SAMPLE]))
    if weight < 40:
        return None
    found, sure = likely(" ".join(words))
    return found if sure >= _SURE and len(found) == 2 else None


def likely(text: str) -> tuple[str, float]:
    """The language its first characters are most likely in, and how sure that is, from 0 to 1."""
    found, sure = _identifier().classify(text[:_SAMPLE])
    return str(found), float(sure)


def _identifier() -> Any:
    global _model
    with _lock:
        if _model is None:
            from py3langid import langid  # type: ignore[import-untyped]

            _model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
        return _model


def code(declared: str | None) -> str | None:
    """ISO 639-1 code of what a document says of itself: `de-AT` is `de`."""
    found = re.match(r"[a-z]{2}(?![a-z])", (declared or "").strip().lower())
    return found[0] if found else None
