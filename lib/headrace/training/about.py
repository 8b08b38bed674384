"""What the caller knows of a dataset and its card tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class About:
    """Facts about one version of a dataset.

    Attributes:
        dataset, version: names: letters, digits, `_`, `-` and `.`.
        intended_use: in a sentence or more.
        licences: of what the texts come from, each in a line.
        sources: the version of each Delta table that was read; 0 is one.
        refusals: rows by reason that did not get in.
        leak: what was measured between splits, such as persons on two sides; each should be 0.
        notes: what else a reader must know, such as that an erasure ended reproducibility.
    """

    dataset: str
    version: str
    intended_use: str
    licences: tuple[str, ...] = ()
    sources: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    leak: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
