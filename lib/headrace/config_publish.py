"""Settings of the stores that measures are published to."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from headrace.config_base import Positive, Settings, Text, Timeout, on_a_disk
from headrace.config_indexes import OpenSearchIndex, OpenSearchServer

INDEX = "headrace-measures"


class SqliteMeasures(Settings):
    """One file with a table `measures`."""

    store: Literal["sqlite"]
    path: Text

    @model_validator(mode="after")
    def _on_a_disk(self) -> "SqliteMeasures":
        on_a_disk(self.path, "path: ./measures.db")
        return self


class OpenSearchMeasures(OpenSearchServer):
    """An index of OpenSearch with one document for each row.

    Attributes:
        rows_per_write, bytes_per_write: the most one request holds.
    """

    store: Literal["opensearch"]
    index: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,100}$")] = INDEX
    refresh: Timeout = timedelta(seconds=5)
    rows_per_write: Positive = 500
    bytes_per_write: Positive = 5_000_000

    def as_index(self) -> OpenSearchIndex:
        """The same server and index in the words of the client."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name != "store"}
        return OpenSearchIndex(store="opensearch", **given)


MeasureStoreSettings = Annotated[SqliteMeasures | OpenSearchMeasures, Field(discriminator="store")]
