"""What the outbox told and what an index holds, for those who only look."""

from collections.abc import Iterator

from headrace.config_knowledge import Knowledge
from headrace.pipelines.lake_ids import known_lake_id
from headrace.pipelines.models import Known, generation_of
from headrace.pipelines.tables_view import LakeView
from headrace.ports import Held
from headrace.stores import indexes
from headrace.stores.files import LakeFiles
from headrace.tables import OUTBOX, PASSAGES_OUTBOX

PASSAGES_TOLD = OUTBOX.path.format(table=PASSAGES_OUTBOX)


def commits_told(view: LakeView) -> dict[tuple[str, str], int]:
    """The newest outbox commit that told of each (model's fingerprint, key), as far back as the outbox goes."""
    commits: dict[tuple[str, str], int] = {}
    for row in view.appended(PASSAGES_TOLD, ("model", "key")):
        place = (row["model"], row["key"])
        commits[place] = max(row["_commit_version"], commits.get(place, 0))
    return commits


def held_by(settings: Knowledge, files: LakeFiles, name: str, model: Known) -> Iterator[Held]:
    """Every key a model's generation of an index remembers. Raises HeadraceError where it cannot be asked."""
    store = indexes.index(settings.indexes[name], generation_of(model.fingerprint))
    try:
        store.attach(known_lake_id(files))
        yield from store.held()
    finally:
        store.close()
