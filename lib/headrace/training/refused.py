"""What did not become part of a dataset, and why."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of the table `refused`.

    Attributes:
        example: its id; of the source row where it became no example.
        step: where: `choose`, `quality`, `privacy`, `duplicates`, `contaminated`, `format`.
        reason: in one or a few words joined by `_`, the same for all that are refused for the same reason.
        detail: what is particular about this one; never a text of the example.
    """

    example: str
    step: str
    reason: str
    detail: str = ""
