"""Compares what the lake says an index should hold with what it does hold, by key and version."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from headrace.ports import Held

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Passages of one generation of an index.

    Attributes:
        wanted, held: how many the lake serves and the index holds.
        missing: not in the index. extra: in the index alone. old: there in an older version than was published.
        pending: told, but not published yet; left out of the three.
        examples: a few keys of the three.
    """

    wanted: int
    held: int
    missing: int
    extra: int
    old: int
    pending: int
    examples: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the index holds what it should."""
        return not (self.missing or self.extra or self.old)


def compare(wanted: Mapping[str, int], pending: Set[str], held: Iterable[Held]) -> Comparison:
    """Compare.

    Args:
        wanted: the lowest version each living passage may have in the index; 0 where nobody remembers.
        pending: keys that are on their way.
        held: what the index holds.
    """
    living = {one.key: one.version for one in held if not one.deleted}
    missing = wanted.keys() - living.keys() - pending
    extra = living.keys() - wanted.keys() - pending
    old = {key for key, version in living.items() if version < wanted.get(key, 0)} - pending
    examples = [*sorted(missing)[:EXAMPLES], *sorted(extra)[:EXAMPLES], *sorted(old)[:EXAMPLES]]
    return Comparison(len(wanted), len(living), len(missing), len(extra), len(old), len(pending), tuple(examples))
