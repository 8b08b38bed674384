"""Where to go on with a store, by what was kept of it and what it holds."""

import pytest

from headrace.pipelines.progress import Progress, found_again

E1 = 1 << 40
KNOWN = Progress("this", 1, 7, E1 | 6)
FILL = Progress("this", 1, 7, E1 | 6, filling=True)


@pytest.mark.parametrize(
    ("known", "newest", "then"),
    [
        (None, -1, Progress("this", 0)),
        (None, None, Progress("this", 0)),
        (None, 3, Progress("this", 1, filling=True)),
        (None, E1 | 3, Progress("this", 2, filling=True)),
        (KNOWN, E1 | 6, KNOWN),
        (KNOWN, E1 | 9, KNOWN),
        (KNOWN, None, KNOWN),
        (FILL, E1 | 6, FILL),
        (KNOWN, -1, FILL),
        (KNOWN, E1 | 5, FILL),
        (KNOWN, 5, FILL),
        (KNOWN, 2 * E1, Progress("this", 3, filling=True)),
        (Progress("other", 1, 7), E1 | 6, Progress("this", 2, filling=True)),
        (Progress("other", 1, 7), None, Progress("this", 2, filling=True)),
        (Progress("this"), -1, Progress("this")),
    ],
)
def test_a_store_is_gone_on_with_filled_or_filled_above_what_another_wrote(
    known: Progress | None, newest: int | None, then: Progress
) -> None:
    assert found_again(known, "this", newest) == then


def test_from_the_start_is_above_everything_written() -> None:
    assert KNOWN.from_the_start() == Progress("this", 2, 7, E1 | 6, filling=True)
    assert KNOWN.from_the_start().row_version(0) > KNOWN.row_version((1 << 40) - 1)
