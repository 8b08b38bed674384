"""Opens the stores of served tables that the settings name, to look rows up. No Spark."""

from headrace.config import Config
from headrace.context.lookup import Lookups
from headrace.stores.served import row_reader


def lookups(config: Config) -> Lookups | None:
    """What looks rows up, to be closed; None where no table is served. Nothing is asked before a look-up."""
    tables = config.served()
    if config.serve is None or not tables:
        return None
    used = {table.store for table in tables.values()}
    return Lookups({name: row_reader(store) for name, store in config.serve.stores.items() if name in used}, tables)
