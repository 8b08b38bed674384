"""The stores of measures that the settings name."""

from headrace.config_publish import MeasureStoreSettings, OpenSearchMeasures, SqliteMeasures
from headrace.ports_measures import MeasureStore
from headrace.stores.measures_opensearch import OpenSearchMeasureStore
from headrace.stores.measures_sqlite import SqliteMeasureStore


def measure_store(settings: MeasureStoreSettings) -> MeasureStore:
    """A new one; nobody is asked yet. The caller closes it."""
    match settings:
        case SqliteMeasures():
            return SqliteMeasureStore(settings)
        case OpenSearchMeasures():
            return OpenSearchMeasureStore(settings)
    raise TypeError(f"no store for {type(settings).__name__}")
