"""The in-step property on a real OpenSearch, which forgets deletes at once."""

import json
import time
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from document_storm import Truth, as_truth, storm, truth
from headrace.config_indexes import OpenSearchIndex
from headrace.ports import Projected
from headrace.stores.opensearch_index import OpenSearchVectorIndex

from .opensearch import OpenSearch

INDEX = "in-step"


def published(server: OpenSearch) -> Truth:
    """What a plain search over the alias or the generation finds, tombstones left out."""
    server.call("POST", f"/{INDEX}__*/_refresh")
    body = {"size": 10_000, "query": {"exists": {"field": "text"}}}
    hits: list[dict[str, Any]] = server.call("POST", f"/{INDEX}__*/_search", body)["hits"]["hits"]
    return dict(as_truth(hit["_source"]["row"]["key"], hit["_source"]) for hit in hits)


def test_the_index_ends_as_if_built_from_scratch_and_old_puts_bring_nothing_back(
    opensearch: OpenSearch, spark: SparkSession, tmp_path: Path
) -> None:
    settings = OpenSearchIndex(store="opensearch", hosts=opensearch.url, index=INDEX, refresh="1s")

    def store() -> OpenSearchVectorIndex:
        return OpenSearchVectorIndex(settings, "g1")

    first = store()
    first.open("this lake")
    opensearch.call("PUT", f"/{INDEX}__*/_settings", {"index": {"gc_deletes": "1ms"}})
    world, events = storm(spark, tmp_path, store, documents=40, batches=4)
    expected = truth(events)
    assert published(opensearch) == expected
    # Everything the outbox ever told comes again, long after the server forgot its deletes.
    time.sleep(1.5)
    lake = world.lake
    told = lake.appended("outbox/passages", 0, lake.version("outbox/passages")).orderBy("_commit_version").collect()
    bodies = [None if row["deleted"] else json.loads(row["body"]) for row in told]
    rows = zip(told, bodies, strict=True)
    again = first.write([Projected(row["key"], row["_commit_version"], row["deleted"], body) for row, body in rows])
    assert (again.applied, again.failed) == (0, ())
    assert published(opensearch) == expected
    first.close()
