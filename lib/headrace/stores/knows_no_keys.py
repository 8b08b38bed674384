"""What stores have in common that take rows and cannot say what they hold: a topic, a stream, Kendra."""

from collections.abc import Iterator

from headrace.ports import Held


class KnowsNoKeys:
    """The part of a `ports.VectorIndex` that such a store cannot do: nothing is swept, forgotten, shown or dropped.

    Who reads the store takes away what is older after a rebuild; its own retention forgets.
    """

    _generation: str

    def sweep(self, before_version: int) -> int:
        """Nothing."""
        return 0

    def held(self) -> Iterator[Held]:
        """Nothing."""
        return iter(())

    def newest(self) -> int:
        """-1: no versions are known."""
        return -1

    def purge(self, before_version: int) -> int:
        """Nothing."""
        return 0

    def generations(self) -> list[str]:
        """The one this object writes."""
        return [self._generation]

    def active(self) -> str | None:
        """The one this object writes."""
        return self._generation

    def activate(self, generation: str) -> None:
        """Nothing: who reads the store decides."""

    def drop(self, generation: str) -> None:
        """Nothing."""
