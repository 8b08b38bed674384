"""Where turns and ratings go out. Stores implement `EventSink`, as with `ports`."""

from collections.abc import Mapping
from typing import Any, Protocol


class EventSink(Protocol):
    """A stream of events. One per process, used from several threads.

    Attributes:
        lost: events that will never arrive; each time a line in the log tells of it.
    """

    lost: int

    def send(self, event: Mapping[str, Any]) -> bool:
        """Pass on one event, as `to_json()` gives it; False where it is lost already. Never raises.

        Returns at once, or after the settings' `wait`.
        """

    def close(self) -> None:
        """Deliver what waits, or leave it in the spool."""
