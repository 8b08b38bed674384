"""What the errors of services that answer mean to us."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from headrace.errors import Fatal, HeadraceError, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.stores.aws_clients import translated
from headrace.stores.http_models import retry_after
from headrace.stores.vectors import brief

EXPECTED = "an answer"
_SHORTER = "Give it a shorter context or question, or name a model with a longer window as fallback."
_LATER = "It is tried again after a pause, then the fallback is asked; where it goes on, ask for a higher quota."
_AGAIN = "It is tried again, then the fallback is asked."


def of_aws(error: Exception, where: str) -> HeadraceError:
    """The error of ours for one of botocore, before a stream or in it."""
    if isinstance(error, HeadraceError):
        return error
    ours = translated(_as_outside(error), where, EXPECTED)
    about = {"where": ours.where, "expected": ours.expected, "found": ours.found}
    if isinstance(ours, Unacceptable):
        return Unacceptable(**about, todo=_SHORTER)
    if isinstance(ours, Throttled):
        return Throttled(**about, todo=_LATER, retry_after=ours.retry_after)
    return type(ours)(**about, todo=_AGAIN) if isinstance(ours, Retryable) else ours


def _as_outside(error: Exception) -> Exception:
    """An error inside a stream is named `throttlingException`, the same one outside of it `ThrottlingException`."""
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        return error
    told = error.response.get("Error", {})
    code = str(told.get("Code", ""))
    renamed: Exception = ClientError({**error.response, "Error": {**told, "Code": code[:1].upper() + code[1:]}}, "")
    return renamed


def of_status(status: int, headers: Mapping[str, str], said: str, where: str, settings: str) -> HeadraceError:
    """The error of ours for an HTTP answer other than 200.

    Args:
        said: the server's own words; no secret is in them.
        settings: where the model's settings are.
    """
    about: dict[str, Any] = {"where": where, "expected": EXPECTED, "found": f"{status} {brief(said)}".strip()}
    if status == 429 and "insufficient_quota" in said:  # OpenAI says so when the account is empty: no pause helps
        return Fatal(**about, todo="Raise the account's budget at the provider.")
    pause = retry_after(headers, datetime.now(UTC))
    if status == 429 or (status == 503 and pause is not None):
        return Throttled(**about, todo=_LATER, retry_after=pause)
    if status in (400, 413, 422):
        return Unacceptable(**about, todo=_refused(said, settings))
    if status >= 500 or status in (408, 409, 424, 425):
        return Unreachable(**about, todo=f"{_AGAIN} Where it goes on, look at the server's log.")
    if status in (401, 403):
        return Fatal(**about, todo=f"Check {settings}.key: `key: {{secret: env:CHAT_KEY}}`.")
    return Fatal(**about, todo=f"Check {settings}.url (up to and with /v1) and {settings}.model.")


def _refused(said: str, settings: str) -> str:
    if "max_completion_tokens" in said:
        return f"Set {settings}.length_field: max_completion_tokens."
    if "stream_options" in said:
        return f"Set {settings}.count_tokens: false."
    if "response_format" in said or "json_schema" in said:
        return "The server knows no answers of a given form (`response_format` with `json_schema`); name another model."
    return _SHORTER


def of_event(error: Any, where: str) -> HeadraceError:
    """The error of ours for one that a server tells within its stream."""
    told = error if isinstance(error, dict) else {"message": str(error)}
    words = " ".join(str(told[key]) for key in ("code", "type", "message") if told.get(key))
    about: dict[str, Any] = {"where": where, "expected": EXPECTED, "found": f"an error in the stream: {brief(words)}"}
    if re.search(r"\b429\b|rate.?limit|throttl|overloaded", words, re.IGNORECASE):
        return Throttled(**about, todo=_LATER)
    if re.search(r"context.?length|too (long|large)|maximum.{0,20}tokens", words, re.IGNORECASE):
        return Unacceptable(**about, todo=_SHORTER)
    return Retryable(**about, todo=_AGAIN)


def broken(where: str, found: str) -> Unreachable:
    """The error for a stream that ended before the answer did."""
    return Unreachable(where=where, expected=f"{EXPECTED} to its end", found=found, todo=_AGAIN)
