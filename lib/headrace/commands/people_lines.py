"""The part of `headrace status` that tells of people and the stores of their profiles."""

from collections.abc import Iterable

from headrace.commands.text import aligned, number
from headrace.pipelines.people_status import PeopleStatus


def people_lines(found: PeopleStatus) -> Iterable[str]:
    """Records, people and stores, and how far each is behind."""
    if found.behind is None:
        yield "No profile was built yet; `headrace run build_profiles --once` begins."
        return
    records = ", ".join(f"{name} {number(count)}" for name, count in sorted(found.records.items()))
    yield f"{number(found.people)} people from records: {records or 'none'}; {number(found.behind)} commits behind."
    for kind, count in sorted(found.quarantined.items()):
        yield f"{number(count)} values of {kind} are shared by too many records and link nobody."
    rows = [(name, number(behind)) for name, behind in found.stores.items()]
    yield aligned(("store of profiles", "commits behind"), rows)
