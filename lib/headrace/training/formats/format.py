"""What every format is: an example goes in, a line comes out, and every line can be checked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import DatasetRefused
from headrace.training.example import Example, Kind
from headrace.training.formats.rules import Violation
from headrace.training.limits import Limits
from headrace.training.refused import Refused

_NEEDS: dict[Kind, tuple[str, ...]] = {
    "sft": ("completion",), "kto": ("completion", "label"), "dpo": ("chosen", "rejected"), "text": ("completion",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """How one trainer wants its lines.

    Attributes:
        name: as the settings name it.
        trainer: whose it is.
        kinds: the examples it can hold.
        write: an example of these kinds as a JSON object.
        check: what is wrong with a JSON value that stands on a line.
        suffix: of its files.
        files: how many a split must have; None for any number.
        beside: what lies in the folder of each split too, by name.
        check_beside: what is wrong with the content of such a file.
        label: what a line is labelled; both must occur in `train`. None for formats without.
    """

    name: str
    trainer: str
    kinds: tuple[Kind, ...]
    write: Callable[[Example], dict[str, Any]]
    check: Callable[[Any, Limits], Iterator[Violation]]
    suffix: str = ".jsonl"
    files: int | None = None
    beside: Mapping[str, bytes] = field(default_factory=dict)
    check_beside: Callable[[str, bytes], Iterator[Violation]] | None = None
    label: Callable[[Any], bool | None] | None = None

    def line(self, example: Example) -> dict[str, Any]:
        """The example as the JSON object of its line.

        Raises:
            DatasetRefused: the format has no place for this kind, or the example lacks what its kind needs.
        """
        missing = self._missing(example)
        if missing is None:
            return self.write(example)
        where, todo = f"example {example.id}", "Leave it out, or choose another format."
        raise DatasetRefused(where=where, expected=missing.expected, found=missing.found, todo=todo)

    def problems(self, value: Any, limits: Limits) -> list[Violation]:
        """Every rule that a line's JSON value breaks."""
        return list(self.check(value, limits))

    def violations(self, example: Example, limits: Limits) -> list[Violation]:
        """Why an example cannot be a line of this format; empty where it can."""
        missing = self._missing(example)
        return [missing] if missing else self.problems(self.write(example), limits)

    def refusal(self, example: Example, limits: Limits) -> Refused | None:
        """The same as a row of `refused`, with the first of the reasons; None where it can be a line."""
        for one in self.violations(example, limits):
            return Refused(example.id, "format", one.rule.replace(" ", "_"), f"{one.at}: {one.found}")
        return None

    def _missing(self, example: Example) -> Violation | None:
        if example.kind not in self.kinds:
            expected = f"{' or '.join(self.kinds)} for {self.name}"
            return Violation("kind", "$", expected, example.kind, "Choose another format.")
        for name in _NEEDS[example.kind]:
            if getattr(example, name) is None:
                return Violation("missing", "$", f"{example.kind} with {name}", "none", "Leave it out.")
        return None
