"""What look-ups ask of a store that holds served rows (`served_rows`). Stores implement it, as with `ports`."""

from collections.abc import Mapping
from typing import Protocol

from headrace.ports import Found, KeyedReader


class RowReader(KeyedReader, Protocol):
    """The read side of a store whose rows can be found by their terms too."""

    def having(self, terms: Mapping[int, str], most: int) -> dict[str, Found]:
        """The rows that have all of these terms, by key, in the order of their keys, the first `most` of them.

        Args:
            terms: by their place in `find`; at least one.

        Raises:
            Retryable: the store does not answer.
            NotThere: nobody has made it yet.
        """
