"""Object events as looks at documents: which object of a bucket is which document of a feed."""

import json

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from headrace.config_knowledge import FolderFeed
from headrace.knowledge.documents import newest
from headrace.knowledge.parse import known
from headrace.pipelines.document_feeds import FIELDS
from headrace.stores import objects

KEY = ("bucket", "key")


def document_of(feed: FolderFeed, bucket: str, key: str) -> str | None:
    """The document that an object is, by the name a listing would give it; None where it is none of this feed.

    `s3://bucket/folder` of `events_path`, or else of `path`, is taken off: what is left is the path below `path`.
    """
    own_bucket, prefix = objects.bucket_and_prefix(feed.events_path or feed.path)
    name = key.removeprefix(prefix)
    if bucket != own_bucket or not key.startswith(prefix) or not name or name.endswith("/"):
        return None
    if not feed.path.startswith("s3://") and "" in name.split("/"):
        return None  # on disk a//b is a/b, which would be another document
    return name if objects.wanted(name, feed.include, feed.exclude) and known(name, None) else None


def checked(envelopes: DataFrame, feed: FolderFeed) -> DataFrame:
    """The same changes with `document`, those of other objects turned to ignored ones.

    Args:
        envelopes: schema `ENVELOPE`; the key is bucket and key.
    """

    @pandas_udf("string")  # type: ignore[call-overload, untyped-decorator]
    def named(keys: pd.Series) -> pd.Series:
        return keys.map(lambda key: document_of(feed, *json.loads(key)) if key else None)

    change = F.col("op").isin("upsert", "delete")
    named_ones = envelopes.withColumn("document", named(F.when(change, F.col("key"))))
    others = change & F.col("document").isNull()
    return named_ones.withColumn("op", F.when(others, "ignored").otherwise(F.col("op")))


def events(changes: DataFrame, name: str, feed: FolderFeed) -> DataFrame:
    """One look for each document, at the position of the newest event that tells of it; schema `EVENTS`.

    All looks of a batch would see the same object, so one is enough; whether an event tells of a put or a delete does
    not matter then. With versions it says little anyway: a delete may be of an old version, or of a delete marker.

    Args:
        changes: upserts and deletes from `checked`.
    """
    created = F.col("op") == "upsert"
    values = {
        "feed": F.lit(name),
        "document": F.col("document"),
        "op": F.lit("look"),
        "position": F.col("position"),
        "seen": F.lit(False),
        "tag": F.when(created, F.from_json("after", "map<string, string>")["etag"]),
        "changed_at": F.col("changed_at"),
        "locator": F.concat(F.lit(objects.locator(feed.path, "")), F.col("document")),
        "language": F.lit(feed.language),
        "tags": F.array(*[F.lit(one) for one in feed.tags]),
        "tenant": F.lit(feed.tenant),
        "audience": F.array(*[F.lit(one) for one in feed.audience]),
        "metadata": F.lit("{}"),
    }
    columns = [values.get(field, F.lit(None)).cast(kind).alias(field) for field, kind in FIELDS]
    return newest(changes.select(*columns))
