"""The part of `headrace status` that tells of served tables."""

from collections.abc import Iterable, Mapping

from headrace.commands.text import aligned, duration, number
from headrace.pipelines.serve_status import ServedStatus


def serve_lines(found: Mapping[str, ServedStatus]) -> Iterable[str]:
    """Each table's store, how far it is behind, and as of when its rows are true."""
    rows = [
        (name, one.store, number(one.behind), duration(one.age), "stale" if one.stale else "fresh")
        for name, one in found.items()
    ]
    yield aligned(("served table", "store", "commits behind", "confirmed, ago", "rows are"), rows)
    yield from (f"{name}: {one.why}" for name, one in found.items() if one.why)
