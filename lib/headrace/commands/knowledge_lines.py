"""The part of `headrace status` that tells of documents and their indexes."""

from collections.abc import Iterable

from headrace.commands.text import aligned, moment, number
from headrace.pipelines.knowledge_status import IndexStatus, KnowledgeStatus


def knowledge_lines(found: KnowledgeStatus) -> Iterable[str]:
    """Feeds, models and indexes as tables, and what to do where an index does not hold what it should."""
    feeds = [
        (name, number(feed.living), number(feed.deleted), moment(feed.newest_changed_at))
        for name, feed in found.feeds.items()
    ]
    yield aligned(("documents", "living", "deleted", "newest change"), feeds)
    if not found.models:
        yield "Nothing was indexed yet; `headrace run index_knowledge --once` begins."
        return
    yield ""
    models = [
        (name, model.role, number(model.passages), number(found.pieces), number(model.vectors), number(model.failed))
        for name, model in found.models.items()
    ]
    yield aligned(("model", "role", "passages", "of pieces", "vectors", "failed pieces"), models)
    yield ""
    yield _indexes(found.indexes)
    for index in found.indexes:
        if index.why:
            yield f"{index.index} ({index.model}): {index.why}"
        elif index.compared is not None and not index.compared.equal:
            some = ", ".join(index.compared.examples)
            yield f"{index.index} ({index.model}): not what the lake says, for example {some}."
            yield f"    headrace rebuild {index.index}"
    for reject in found.rejects:
        yield f"Refused in {reject['table']}: {number(reject['count'])} ({reject['reason']}), e.g. {reject['example']}"
    for request in found.open_requests:
        yield f"Open request: {request}; `headrace run index_knowledge --once` carries it out."


def _indexes(indexes: Iterable[IndexStatus]) -> str:
    headers = ("index", "model", "commits behind", "passages", "wanted", "missing", "extra", "old", "on the way")
    rows = []
    for index in indexes:
        said = index.compared
        counts = (said.held, said.wanted, said.missing, said.extra, said.old, said.pending) if said else (None,) * 6
        rows.append((index.index, index.model, number(index.behind), *[number(count) for count in counts]))
    return aligned(headers, rows)
