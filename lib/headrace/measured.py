"""The shape of live measures, and where they may be sent. Apart from `ports`, as the command line loads it at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class Measured:
    """What was observed of one metric since the last report.

    Attributes:
        job, source: what it is about.
        metric: its name, such as `LagSeconds`.
        count: of the observations; `total`, `low` and `high` are their sum, least and largest, `last` the newest.
    """

    job: str
    source: str
    metric: str
    count: int
    total: float
    low: float
    high: float
    last: float


class MetricSink(Protocol):
    """Where measures are sent. Raises HeadraceError where it does not answer."""

    def put(self, measured: Sequence[Measured]) -> None:
        """Report."""

    def close(self) -> None:
        """Give back what it holds."""
