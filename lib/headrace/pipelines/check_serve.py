"""What `headrace check` tries of served tables: the columns they name, and every store."""

from collections.abc import Callable, Iterator
from contextlib import closing

from headrace.changes.served_columns import served_tables, unknown_column
from headrace.config import Config
from headrace.config_keyed_stores import KeyedStore, SqliteRows
from headrace.errors import NotThere
from headrace.pipelines.check_knowledge import may_be_made
from headrace.pipelines.serve_places import LAKE_ID
from headrace.pipelines.tables_view import LakeView
from headrace.stores import served
from headrace.stores.files import LakeFiles
from headrace.tables import TABLES

Trial = tuple[str, Callable[[], str]]


def trials(config: Config) -> Iterator[Trial]:
    """The columns of all served tables, and every store."""
    if config.serve is None:
        return
    yield "serve: columns", lambda: _columns(config)
    for name, store in config.serve.stores.items():
        yield f"serve: store {name}", lambda name=name, store=store: _store(config, name, store)  # type: ignore[misc]


def _columns(config: Config) -> str:
    view, seen = LakeView(config), 0
    tables = served_tables(config)
    for one in tables:
        columns = [name for name, _ in view.columns(TABLES.format(table=one.name))]
        if columns and (wrong := unknown_column(one, columns)):
            raise wrong
        seen += bool(columns)
    waiting = f"; {len(tables) - seen} are not there yet" if seen < len(tables) else ""
    return f"{seen} of {len(tables)} tables have what their serve names{waiting}"


def _store(config: Config, name: str, settings: KeyedStore) -> str:
    tables = ", ".join(table for table, one in config.served().items() if one.store == name) or "no table"
    with closing(served.rows(settings)) as store:
        try:
            store.attach(LakeFiles(config.lake).read_text(LAKE_ID) or "a lake without apply_changes")
        except NotThere:
            if isinstance(settings, SqliteRows):
                may_be_made(settings.path)
            served.check_makeable(settings)
            return f"{settings.store}: not made yet; `headrace run apply_changes` makes it for {tables}"
    return f"{settings.store}: there, with {tables}"
