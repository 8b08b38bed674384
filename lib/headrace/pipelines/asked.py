"""How asking an API goes, kept in the lake beside the answers: for the day's budget, and for `headrace status`."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date

from headrace.stores.files import LakeFiles


@dataclass(frozen=True, slots=True)
class Asked:
    """How it goes for one table.

    Attributes:
        day, calls: calls of a day (UTC). Those of a round are counted before they are made.
        keys, waiting, failed: how many there are, are due, and had a call that failed last.
        said: what holds up the rest; empty for nothing.
        forgot_at: when old answers were last deleted.
    """

    day: str = ""
    calls: int = 0
    keys: int = 0
    waiting: int = 0
    failed: int = 0
    said: str = ""
    forgot_at: str = ""

    def on(self, day: date) -> "Asked":
        """With the calls of this day."""
        return self if self.day == day.isoformat() else replace(self, day=day.isoformat(), calls=0)


def read(files: LakeFiles, table: str) -> Asked:
    """What was kept last."""
    text = files.read_text(_place(table))
    return Asked(**json.loads(text)) if text else Asked()


def write(files: LakeFiles, table: str, how: Asked) -> None:
    """Keep it."""
    files.replace_text(_place(table), json.dumps(asdict(how), indent=2) + "\n")


def _place(table: str) -> str:
    return f"answers/{table}.json"
