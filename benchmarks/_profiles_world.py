"""People for the benchmarks of `build_profiles`: ordered tables as `apply_changes` leaves them, and changes to them.

Of so many people each has a row of the web shop and a booking, every second one also called the call centre, every
fifth has three devices: every tenth person is five records.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.identifiers.normalise import normaliser
from headrace.lake import Lake, local_rows
from headrace.pipelines.profile_batch import ProfileBatches, Touched
from headrace.pipelines.profile_rows import ProfileRows
from headrace.tables import CHANGED_KEYS

KEYS = {"customers": "customer_id", "callers": "caller_id", "devices": "device_id", "bookings": "booking_id"}
FILE_ROWS = 125_000


def settings(root: str, store: str, sources: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Settings of the job; the source is never read unless one is given."""
    phone = {"normalise": "phone", "region": "DE", "hub": 10}
    shop = {"email": "email", "phone": "phone", "customer_id": "customer_id"}
    related = {"table": "bookings", "by": {"shop": "customer_id"}, "columns": ["booking_id", "price"]}
    profiles = {
        "hash_key": "a secret for a benchmark",
        "identifiers": {"customer_id": {"normalise": "exact"}, "phone": phone, "email": {"normalise": "email"}},
        "records": {
            "shop": {"table": "customers", "identifiers": shop, "fields": {"name": "name", "city": "city"}},
            "calls": {"table": "callers", "identifiers": {"phone": "phone"}, "fields": {"name": "name"}},
            "devices": {"table": "devices", "identifiers": {"customer_id": "customer_id"}},
        },
        "related": {"bookings": related},
        "stores": {"main": {"store": "sqlite", "path": store}},
    }
    never = {"feed": {"from": "files", "path": "/in", "format": "debezium"}}
    tables = {name: {"source": "feed", "source_table": f"public.{name}", "key": [key]} for name, key in KEYS.items()}
    return {"lake": root, "sources": dict(sources or never), "tables": tables, "profiles": profiles}


def batches(lake: Lake, config: Config) -> ProfileBatches:
    """What takes the batches of the job."""
    assert config.profiles
    hashing = normaliser(config.profiles)
    return ProfileBatches(lake, config.profiles, ProfileRows(lake, config.profiles, config.keys(), hashing), hashing)


def number(column: str = "id") -> Column:
    """A number as the text it is in keys: ten digits in an order that says nothing, as keys of sources are."""
    return F.substring(F.md5(F.col(column).cast("string")), 1, 10)


def rows_of(ids: DataFrame, table: str, stamp: str) -> DataFrame:
    """A table's rows of these people, column `id`."""
    key, texts = number(), F.col("id").cast("string")
    phone = F.concat(F.lit("+4930"), F.lpad(texts, 8, "0")).alias("phone")
    shop = {
        "customers": [
            key.alias("customer_id"), F.concat(F.lit("Name "), texts).alias("name"), F.lit(stamp).alias("city"),
            F.concat(F.lit("u"), texts, F.lit("@example.com")).alias("email"), phone,
        ],
        "callers": [key.alias("caller_id"), F.concat(F.lit("Name "), texts).alias("name"), phone],
        "devices": [F.explode(_devices()).alias("device_id"), key.alias("customer_id")],
        "bookings": [key.alias("booking_id"), key.alias("customer_id"), F.lit(9.5).alias("price")],
    }  # fmt: skip
    share = {"callers": 2, "devices": 5}.get(table, 1)
    rows = ids.where(F.col("id") % share == 0).select(*shop[table])
    return rows.withColumns({"_position": F.lit(stamp), "_changed_at": F.current_timestamp()})


def fill(lake: Lake, people: int) -> None:
    """Write the ordered tables of so many people, and `changed_keys`."""
    ids = lake.spark.range(0, people, 1, max(1, people // FILE_ROWS))
    for name, key in KEYS.items():
        rows = rows_of(ids, name, "1")
        properties = {"delta.enableDeletionVectors": "true", "delta.dataSkippingStatsColumns": f"{key},_position"}
        lake.create(f"tables/{name}", rows.schema, properties)
        lake.append(rows, f"tables/{name}")
    lake.ensure(CHANGED_KEYS)


def change(lake: Lake, table: str, rows: DataFrame) -> None:
    """Write rows over those of the same key, as a batch of `apply_changes` does."""
    merge = lake.table(f"tables/{table}").alias("t").merge(rows.alias("s"), f"t.{KEYS[table]} = s.{KEYS[table]}")
    merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()


def touched(rows: Mapping[str, DataFrame], position: str) -> Touched:
    """The keys of these rows, as the job takes them."""
    texts = {
        table: some.select(F.to_json(F.array(KEYS[table])).alias("key")).distinct().toArrow()["key"].to_pylist()
        for table, some in rows.items()
    }
    return {table: dict.fromkeys(keys, position) for table, keys in texts.items()}


def some_ids(lake: Lake, numbers: Iterable[int]) -> DataFrame:
    """People by their numbers, column `id`."""
    return local_rows(lake.spark, [(one,) for one in numbers], "id bigint")


def _devices() -> Column:
    return F.array(*[F.concat(number(), F.lit(f"-{one}")) for one in range(3)])


def union(frames: Iterable[DataFrame]) -> DataFrame:
    """All of them together."""
    return reduce(DataFrame.unionByName, frames)
