"""Amazon Comprehend: how texts feel, and personal data in them. Tested against a stub only.

Limits: https://docs.aws.amazon.com/comprehend/latest/dg/guidelines-and-limits.html
"""

from collections.abc import Iterator, Sequence
from typing import Any

from headrace.config_comprehend import ComprehendBase, ComprehendPersonalData, ComprehendSentiment
from headrace.errors import Fatal, HeadraceError, Retryable
from headrace.ports import Unacceptable
from headrace.ports_texts import PersonalData, Sentiment
from headrace.stores.aws_clients import aws_client, translated
from headrace.stores.limiter import PacedLimiter
from headrace.stores.turns import in_turn
from headrace.stores.vectors import brief

_TEXTS = 25
_SENTIMENT_BYTES = 5_000
_PERSONAL_BYTES = 100_000
_SHARED = 200
"""Characters that neighbouring pieces of a long text share, so that what one of them cuts stands whole in the other."""
SENTIMENT_LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ar", "hi", "ja", "ko", "zh", "zh-TW")
PERSONAL_LANGUAGES = ("en", "es")
# The service's words for a text that no repeat can help.
_OF_THE_TEXT = ("InvalidRequestException", "TextSizeLimitExceededException", "UnsupportedLanguageException")


class _Comprehend:
    """A client whose calls wait for their turn."""

    def __init__(self, settings: ComprehendBase, limiter: PacedLimiter | None, client: Any) -> None:
        self._seconds, self._limiter = settings.timeout.total_seconds(), limiter
        self._client = client or aws_client(
            "comprehend", region=settings.region, role=settings.role, seconds=self._seconds, calls=1
        )

    def _call(self, operation: str, expected: str, **arguments: Any) -> Any:
        where = "comprehend"

        def call() -> Any:
            try:
                return getattr(self._client, operation)(**arguments)
            except Exception as error:
                raise _meant(error, where, expected) from error

        return in_turn(self._limiter, call, self._seconds, where)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class ComprehendSentimentModel(_Comprehend):
    """A `ports_texts.SentimentModel`. A text over 5,000 bytes is cut; Comprehend itself looks at its beginning only.

    Args:
        limiter: gives calls their turns; None calls at once.
        client: of `comprehend`; made from the settings where not given.
    """

    def __init__(self, settings: ComprehendSentiment, limiter: PacedLimiter | None = None, client: Any = None) -> None:
        super().__init__(settings, limiter, client)

    def sentiments(self, texts: Sequence[str], language: str) -> list[Sentiment | HeadraceError]:
        """As in `SentimentModel`."""
        _check_language(language, SENTIMENT_LANGUAGES)
        found: list[Sentiment | HeadraceError] = [_empty() for _ in texts]
        places = [place for place, text in enumerate(texts) if text.strip()]
        for start in range(0, len(places), _TEXTS):
            some = places[start : start + _TEXTS]
            cut = [_beginning(texts[place], _SENTIMENT_BYTES) for place in some]
            for place, outcome in zip(some, self._batch(cut, language), strict=True):
                found[place] = outcome
        return found

    def _batch(self, texts: list[str], language: str) -> list[Sentiment | HeadraceError]:
        try:
            answer = self._call(
                "batch_detect_sentiment", "the sentiment of texts", TextList=texts, LanguageCode=language
            )
        except Unacceptable as error:
            if len(texts) == 1:
                return [error]
            middle = len(texts) // 2
            return self._batch(texts[:middle], language) + self._batch(texts[middle:], language)
        found: dict[int, Sentiment | HeadraceError] = {one["Index"]: _item(one) for one in answer.get("ErrorList", ())}
        found |= {one["Index"]: _sentiment(one) for one in answer.get("ResultList", ())}
        return [found.get(place) or _missing() for place in range(len(texts))]


class ComprehendPersonalDataFinder(_Comprehend):
    """A `ports_texts.PersonalDataFinder` for English and Spanish. A text over 100,000 bytes goes in pieces.

    Args:
        limiter: gives calls their turns; None calls at once.
        client: of `comprehend`; made from the settings where not given.
    """

    def __init__(
        self, settings: ComprehendPersonalData, limiter: PacedLimiter | None = None, client: Any = None
    ) -> None:
        super().__init__(settings, limiter, client)

    def personal_data(self, text: str, language: str) -> list[PersonalData]:
        """As in `PersonalDataFinder`."""
        _check_language(language, PERSONAL_LANGUAGES)
        found = set()
        for begin, piece in pieces(text):
            if not piece.strip():
                continue
            answer = self._call("detect_pii_entities", "the personal data in a text", Text=piece, LanguageCode=language)
            for one in answer.get("Entities", ()):
                place = begin + one["BeginOffset"], begin + one["EndOffset"]
                found.add(PersonalData(*place, one["Type"], float(one["Score"])))
        return _widest(found)


def pieces(text: str, most: int = _PERSONAL_BYTES, shared: int = _SHARED) -> Iterator[tuple[int, str]]:
    """The text in pieces of at most `most` bytes, each with the character it begins at. They overlap by `shared`."""
    begin = 0
    while True:
        piece = _beginning(text[begin : begin + most], most)
        yield begin, piece
        if begin + len(piece) >= len(text):
            return
        begin += max(1, len(piece) - shared)


def _beginning(text: str, most: int) -> str:
    """As many of its first characters as fit into so many bytes. What is no valid Unicode becomes a question mark."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def _widest(found: set[PersonalData]) -> list[PersonalData]:
    """Without those that lie in another of their kind: in two pieces the same is found twice, cut in one of them."""
    kept: list[PersonalData] = []
    for one in sorted(found, key=lambda one: (one.begin, -one.end, -one.score)):
        if not any(other.kind == one.kind and one.end <= other.end for other in kept):
            kept.append(one)
    return kept


def _sentiment(one: dict[str, Any]) -> Sentiment:
    scores = {name.lower(): float(score) for name, score in one["SentimentScore"].items()}
    return Sentiment(one["Sentiment"].lower(), scores)


def _item(one: dict[str, Any]) -> HeadraceError:
    code = str(one.get("ErrorCode", ""))
    said: dict[str, Any] = {
        "where": "comprehend",
        "expected": "the sentiment of a text",
        "found": f"{code}: {brief(str(one.get('ErrorMessage', '')))}",
    }
    if code in _OF_THE_TEXT:
        return Unacceptable(**said, todo="Look at the text and its language.")
    return Retryable(**said, todo="It is tried again.")


def _missing() -> HeadraceError:
    expected, todo = "an answer for every text", "It is tried again."
    return Retryable(where="comprehend", expected=expected, found="none for this one", todo=todo)


def _empty() -> HeadraceError:
    expected, todo = "a text with words in it", "Leave empty texts out."
    return Unacceptable(where="comprehend", expected=expected, found="an empty one", todo=todo)


def _check_language(language: str, known: tuple[str, ...]) -> None:
    if language not in known:
        todo = "Leave texts of other languages out, or give them to another model."
        raise Unacceptable(where="comprehend", expected=f"one of {', '.join(known)}", found=language, todo=todo)


def _meant(error: Exception, where: str, expected: str) -> HeadraceError:
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    if code == "BatchSizeLimitExceededException":
        todo = f"Report it: Headrace sends at most {_TEXTS} texts."
        return Fatal(where=where, expected=expected, found=code, todo=todo)
    if code in _OF_THE_TEXT:
        # The message is left out: it may quote the text.
        todo = "Look at the text, its length and its language."
        return Unacceptable(where=where, expected=expected, found=code, todo=todo)
    return translated(error, where, expected)
