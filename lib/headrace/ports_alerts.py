"""What is told when a rule finds something, and where it may be told. Stores implement `AlertSink`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Alert:
    """What a rule found.

    Attributes:
        id: of the rule and the window's end: the same whenever it is told again, so that a receiver can know a repeat.
        at: the window's end, UTC.
        slice: the values of dimensions that it is about.
        numbers: what the rule compared, such as `value`, `n`, `limit`.
        text: one sentence.
    """

    id: str
    rule: str
    kind: str
    at: datetime
    measure: str
    text: str
    slice: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "id": self.id, "rule": self.rule, "kind": self.kind, "at": self.at.isoformat(), "measure": self.measure,
            "slice": dict(self.slice), "numbers": dict(self.numbers), "text": self.text,
        }  # fmt: skip


class AlertSink(Protocol):
    """Where alerts are told."""

    def send(self, alert: Alert) -> None:
        """Tell one. Raises HeadraceError where it could not; the same alert may then be sent again."""

    def close(self) -> None:
        """Give back what it holds."""
