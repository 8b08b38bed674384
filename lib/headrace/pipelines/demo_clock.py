"""What the demo prints, and acts that play side by side."""

import threading
import time
from collections.abc import Callable, Sequence


class Clock:
    """Prints a line with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._printing = threading.Lock()

    def __call__(self, line: str) -> None:
        """What has just happened."""
        with self._printing:
            print(f"[{time.monotonic() - self._began:5.1f} s] {line}", flush=True)

    def tell(self, *lines: str) -> None:
        """What there is to tell of it."""
        print(*lines, sep="\n", flush=True)


class Lane(Clock):
    """The clock of an act that has others beside it: what there is to tell is kept until all are over."""

    def __init__(self, clock: Clock) -> None:
        self._began, self._printing = clock._began, clock._printing
        self._kept: list[str] = []

    def tell(self, *lines: str) -> None:
        """Keep them."""
        self._kept += lines

    def told(self) -> str:
        """What was kept."""
        return "\n".join(self._kept)


Act = Callable[[Clock], bool]


def side_by_side(clock: Clock, acts: Sequence[Act]) -> bool:
    """Play acts at the same time, in threads, then tell of one after the other; whether all went well.

    Raises what made one of them fail.
    """
    lanes = [Lane(clock) for _ in acts]
    ended: list[bool] = []
    failed: list[BaseException] = []

    def play(act: Act, lane: Lane) -> None:
        try:
            ended.append(act(lane))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=play, args=both, daemon=True) for both in zip(acts, lanes, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for lane in lanes:
        clock.tell(lane.told())
    if failed:
        raise failed[0]
    return all(ended)
