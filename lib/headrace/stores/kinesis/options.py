"""The options of the data source, checked before anything is asked of AWS."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from headrace.errors import ConfigError
from headrace.stores.kinesis.positions import is_place

_ARN = re.compile(r"arn:[^:]+:kinesis:([^:]+):\d*:stream/(.+)")
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream is and as whom it is read. Credentials are never options: they would show in Spark's UI.

    Attributes:
        stream: its name or its ARN.
        region: an ARN says it itself; None takes the process's own.
        endpoint: URL of a VPC endpoint or an emulator.
        role_arn, external_id, session_name: the role to take on, of another account for instance.
        call_seconds: how long one call may take.
        give_up_seconds: how long a call that is refused for now is tried again.
    """

    stream: str
    region: str | None = None
    endpoint: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    session_name: str = "headrace"
    call_seconds: float = 15.0
    give_up_seconds: float = 120.0

    @property
    def name(self) -> str:
        """The stream's name, taken out of its ARN where that is given."""
        found = _ARN.fullmatch(self.stream)
        return found[2] if found else self.stream

    @property
    def arguments(self) -> dict[str, str]:
        """What names the stream in a call."""
        return {"StreamARN": self.stream} if _ARN.fullmatch(self.stream) else {"StreamName": self.stream}

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"Kinesis stream {self.name}"

    @property
    def own_region(self) -> str | None:
        """The region to call."""
        found = _ARN.fullmatch(self.stream)
        return self.region or (found[1] if found else None)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a query without a checkpoint begins: a time for every shard, or a place; some shards may have their own.

    Attributes:
        at: `trim_horizon`, `latest`, or milliseconds since 1970.
        shards: places by shard; see `positions`.
    """

    at: Literal["trim_horizon", "latest"] | int = "trim_horizon"
    shards: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Everything a reader needs.

    Attributes:
        on_lost: what happens when retention deleted records before they were read.
        max_seconds: the most time of the stream that one batch spans in a shard.
        max_rows, max_bytes: about the most one batch holds over all shards.
        page: records asked for in one call.
        until: milliseconds since 1970: what arrived later is left for another run. None reads on.
    """

    place: Place
    start: Start = Start()
    on_lost: Literal["fail", "continue"] = "fail"
    max_seconds: float = 3600.0
    max_rows: int = 200_000
    max_bytes: int = 512 * 1024 * 1024
    page: int = 10_000
    until: int | None = None


def read_options(given: Mapping[str, str]) -> ReadOptions:
    """The options as Spark hands them over, in any case. Raises ConfigError: one is missing, wrong or unknown."""
    options = {name.lower(): value for name, value in given.items() if value is not None}
    unknown = sorted(set(options) - {name.lower() for name in KNOWN})
    if unknown:
        raise _wrong(unknown[0], f"one of {', '.join(KNOWN)}", unknown[0], "Remove it, or correct its name.")
    defaults = ReadOptions(_place(options))
    return ReadOptions(
        place=defaults.place,
        start=parsed_start(options.get("startingposition", "trim_horizon")),
        on_lost=_on_lost(options.get("onlost", "fail")),
        max_seconds=_number(options, "maxSecondsPerBatch", defaults.max_seconds),
        max_rows=int(_number(options, "maxRowsPerBatch", defaults.max_rows)),
        max_bytes=int(_number(options, "maxBytesPerBatch", defaults.max_bytes)),
        page=min(10_000, int(_number(options, "recordsPerCall", defaults.page))),
        until=_until(options.get("until")),
    )


KNOWN = (
    "streamName", "streamARN", "region", "endpoint", "roleArn", "roleExternalId", "roleSessionName",
    "startingPosition", "onLost", "maxSecondsPerBatch", "maxRowsPerBatch", "maxBytesPerBatch", "recordsPerCall",
    "until", "callSeconds", "giveUpSeconds",
)  # fmt: skip


def _place(options: Mapping[str, str]) -> Place:
    named = [options[key] for key in ("streamname", "streamarn") if options.get(key)]
    if len(named) != 1:
        found = "both" if named else "neither"
        raise _wrong("streamName", "streamName or streamARN", found, 'For example: .option("streamName", "orders")')
    stream = named[0]
    arn = "streamarn" in options
    if not (_ARN if arn else _NAME).fullmatch(stream):
        expected = "arn:aws:kinesis:<region>:<account>:stream/<name>" if arn else "a stream's name"
        raise _wrong("streamARN" if arn else "streamName", expected, stream, "Correct it.")
    if options.get("roleexternalid") and not options.get("rolearn"):
        raise _wrong("roleExternalId", "roleArn beside it", "none", "Name the role, or remove the id.")
    return Place(
        stream,
        region=options.get("region"),
        endpoint=options.get("endpoint"),
        role_arn=options.get("rolearn"),
        external_id=options.get("roleexternalid"),
        session_name=options.get("rolesessionname", "headrace"),
        call_seconds=_number(options, "callSeconds", 15.0),
        give_up_seconds=_number(options, "giveUpSeconds", 120.0),
    )


def parsed_start(text: str) -> Start:
    """A starting position: `trim_horizon`, `latest`, an ISO 8601 time, or JSON that names shards.

    The JSON's keys are shards, its values places (see `positions`); the key `*` holds what all others start with.
    Raises ConfigError.
    """
    if not text.lstrip().startswith("{"):
        return Start(_start_of_all(text))
    try:
        given = dict(json.loads(text))
        others = str(given.pop("*", "trim_horizon"))
    except (ValueError, TypeError) as error:
        raise _wrong("startingPosition", "a JSON object of shards", str(error), _START_EXAMPLE) from None
    for shard, place in given.items():
        if not isinstance(place, str) or not is_place(place):
            raise _wrong("startingPosition", f"a place for {shard}: T, E, 4959... or <4959...", place, _START_EXAMPLE)
    return Start(_start_of_all(others), given)


_START_EXAMPLE = """For example: '{"shardId-000000000000": "<49590338", "*": "latest"}'"""


def _start_of_all(text: str) -> Literal["trim_horizon", "latest"] | int:
    match text.strip().lower():
        case "trim_horizon" | "earliest":
            return "trim_horizon"
        case "latest":
            return "latest"
        case _:
            return millis("startingPosition", text)


def millis(name: str, text: str) -> int:
    """An ISO 8601 time, UTC where it names no zone, in milliseconds since 1970. Raises ConfigError."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        expected = "trim_horizon, latest or an ISO 8601 time" if name == "startingPosition" else "an ISO 8601 time"
        raise _wrong(name, expected, text, "For example: 2026-11-22T09:00:00Z") from None
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((at - _EPOCH).total_seconds() * 1000)


def _until(text: str | None) -> int | None:
    if text is None:
        return None
    return int(text) if text.isdigit() else millis("until", text)


def _on_lost(text: str) -> Literal["fail", "continue"]:
    match text:
        case "fail" | "continue":
            return text
        case _:
            raise _wrong("onLost", "fail or continue", text, "Correct it.")


def _number(options: Mapping[str, str], name: str, default: float) -> float:
    text = options.get(name.lower())
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 2**63:
        raise _wrong(name, "a number above 0", text, "Correct it.")
    return value


def _wrong(name: str, expected: str, found: object, todo: str) -> ConfigError:
    return ConfigError(where=f"option {name}", expected=expected, found=str(found), todo=todo)
