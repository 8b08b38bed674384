"""No input stops the job: every message is applied, stale, rejected or ignored, and the counts add up exactly."""

import json
import os
from dataclasses import replace
from functools import reduce
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.changes.apply import Applier
from headrace.changes.decode import decoded
from headrace.changes.envelope import Change, Ignored, Message, Reject
from headrace.changes.formats import decoder
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.tables import MESSAGES
from properties.poison import ARRIVED, FORMATS, POISON, captured, damaged, rows

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
DECODED = 400_000 if SOAK else 20_000
APPLIED = 20_000 if SOAK else 4_000

SOURCES: dict[str, dict[str, Any]] = {
    **{form: {"from": "kafka", "servers": "-", "topics": ["t"], "format": form} for form in FORMATS},
    "json": {
        "from": "kafka", "servers": "-", "topics": ["t"], "format": "json", "position": ["sequenceNum"],
        "operation": {"column": "operation", "delete": ["DELETE"]},
    },
}  # fmt: skip
TABLES: dict[str, dict[str, Any]] = {
    "bookings": {"source": "debezium", "source_table": "public.bookings", "key": ["id"]},
    "hotels": {"source": "debezium", "source_table": "public.hotels", "key": ["hotel_id"]},
    "foo": {"source": "dms", "source_table": "public.foo", "key": ["id"]},
    "devices": {"source": "dynamodb", "source_table": "table-testdrive", "key": ["device", "timestamp"]},
    "objects": {"source": "objects", "key": ["bucket", "key"]},
    "people": {"source": "json", "key": ["id"], "types": {"id": "string", "sequenceNum": "bigint", "price": "double"}},
}
"""The tables of damaged events learn their columns; `people` declares those of the rows that must land all the same: a
type learned from a damaged first row would refuse the good ones."""
HEALTHY = 40


def config_at(lake: str, **tables: dict[str, Any]) -> Config:
    return Config.model_validate(
        {"lake": lake, "sources": SOURCES, "tables": {**TABLES, **tables}, "apply": {"allow_stale": True}}
    )


def bad_messages(random: Random, form: str, number: int) -> list[Message]:
    """Every poison payload once, then damaged real events; each with an origin of its own."""
    real = rows(100) if form == "json" else captured(form)
    found = [Message(None, payload) for payload in POISON.values()]
    found += [damaged(random, random.choice(real)) for _ in range(number - len(found))]
    return [
        replace(one, stream=one.stream or "shop.public.bookings", partition=0, offset=offset, arrived_at=ARRIVED)
        for offset, one in enumerate(found)
    ]


@pytest.mark.parametrize("form", SOURCES)
def test_a_decoder_answers_every_message_with_something_that_can_be_stored(form: str) -> None:
    config = config_at("unused")
    decode = decoder(config.sources[form], Routes(config.tables_of(form)))
    seen: set[str] = set()
    for message in bad_messages(Random(form), form, DECODED // len(SOURCES)):
        answer = decode(message)
        assert answer, f"no answer for {message}"
        for one in answer:
            seen.add(type(one).__name__)
            assert not problems(one), f"{problems(one)} in {one} from {message}"
    assert {"Change", "Reject"} <= seen


def problems(one: Change | Reject | Ignored) -> str | None:
    """What would break further down the line."""
    if isinstance(one, Reject):
        if one.reason == "decoder error":
            return "an exception inside the decoder"
        return None if storable(one.reason, one.detail, one.table) else "text that cannot be stored"
    if isinstance(one, Ignored):
        return None if storable(one.why, one.table) else "text that cannot be stored"
    texts = [*one.after, *one.after.values(), *(one.moved_from or {}).values(), one.table, *one.types.values()]
    if not storable(*texts):
        return "text that cannot be stored"
    if not one.position.isascii() or one.position.count("-") < 2 or not one.position[:4].isdigit():
        return "a position that does not sort"
    if one.sent is not None and not set(one.after) <= set(one.sent):
        return "values of columns that were not sent"
    return None


def storable(*texts: str | None) -> bool:
    try:
        return all(text is None or (isinstance(text, str) and text.encode("utf-8") is not None) for text in texts)
    except UnicodeEncodeError:
        return False


def test_bad_input_costs_its_own_rows_only_and_the_counts_add_up(spark: SparkSession, tmp_path: Path) -> None:
    random = Random(5)
    config = config_at(str(tmp_path))
    applier = Applier(spark, config)
    good = [json.dumps({"id": f"good{n}", "sequenceNum": 10**9 + n, "price": n / 4}).encode() for n in range(HEALTHY)]
    messages = {form: bad_messages(random, form, APPLIED // len(SOURCES)) for form in SOURCES}
    first = len(messages["json"])
    messages["json"] += [Message(None, body, (), "good", 0, first + n, ARRIVED) for n, body in enumerate(good)]
    random.shuffle(messages["json"])

    result = applier.apply(envelopes_of(spark, config, applier, messages), "feed/0")

    lake = {
        name: spark.read.format("delta").load(f"{tmp_path}/{name}") for name in ("changes_log", "rejects/apply_changes")
    }
    sent = {count: result.total(count) for count in ("sent", "applied", "stale", "rejected", "ignored")}
    log = lake["changes_log"].select("source", "origin", "op", "message").persist()
    assert log.select("source", "origin.stream", "origin.partition", "origin.offset").distinct().count() == sum(
        len(found) for found in messages.values()
    ), "every message is in the log"
    assert sent["sent"] == log.count()
    assert sent["sent"] == sent["applied"] + sent["stale"] + sent["rejected"] + sent["ignored"]
    assert sent["ignored"] == log.where("op = 'ignored'").count()
    assert sent["rejected"] == lake["rejects/apply_changes"].where("reason != 'unresolved value'").count()
    assert sent["applied"] > HEALTHY
    assert_rejects_say_why_and_keep_the_bytes(lake["rejects/apply_changes"], messages)
    people = spark.read.format("delta").load(f"{tmp_path}/tables/people").where("id like 'good%'")
    assert {(row["id"], row["price"]) for row in people.collect()} == {(f"good{n}", n / 4) for n in range(HEALTHY)}


def assert_rejects_say_why_and_keep_the_bytes(rejects: DataFrame, messages: dict[str, list[Message]]) -> None:
    bodies = {(form, one.stream, one.offset): one.value for form, found in messages.items() for one in found}
    for row in rejects.select("source", "origin", "message", "reason", "detail").collect():
        assert row["reason"] and row["detail"]
        body = row["message"]
        assert (None if body is None else bytes(body)) == bodies[
            row["source"], row["origin"].stream, row["origin"].offset
        ]


def test_replay_lands_what_a_fix_of_the_settings_makes_usable(spark: SparkSession, tmp_path: Path) -> None:
    """A declared type that is too narrow, and a table nobody named: refused, told why, and landed after the fix."""
    bodies = [json.dumps({"id": f"k{n}", "sequenceNum": n, "size": 2**31 + n}).encode() for n in range(10)]
    messages = {"json": [Message(None, body, (), "s", 0, n, ARRIVED) for n, body in enumerate(bodies)]}
    narrow = config_at(str(tmp_path), people=TABLES["people"] | {"types": {"size": "int"}})
    applier = Applier(spark, narrow)

    refused = applier.apply(envelopes_of(spark, narrow, applier, messages), "json/0")

    assert (refused.total("applied"), refused.total("rejected")) == (0, 10)
    rejects = spark.read.format("delta").load(f"{tmp_path}/rejects/apply_changes")
    assert {row["reason"] for row in rejects.collect()} == {"incompatible value"}

    wide = config_at(str(tmp_path), people=TABLES["people"] | {"types": {"size": "bigint"}})
    done = replay_rejects(spark, wide)

    assert (done["messages"], done["applied"], done["rejected"]) == (10, 10, 0)
    people = spark.read.format("delta").load(f"{tmp_path}/tables/people")
    assert {(row["id"], row["size"]) for row in people.collect()} == {(f"k{n}", 2**31 + n) for n in range(10)}
    assert rejects.count() == 0


def replay_rejects(spark: SparkSession, config: Config) -> dict[str, Any]:
    """Ask for a replay as a person does, and let a new job carry it out at its start."""
    import threading

    from headrace.lake import Lake
    from headrace.pipelines import replay, requests
    from headrace.pipelines.batches import Batches
    from headrace.pipelines.kept_tables import upkeep_of_changes
    from headrace.stores.files import LakeFiles

    files = LakeFiles(config.lake)
    request = requests.write(files, requests.ReplayRequest(take_from="rejects"))
    upkeep = upkeep_of_changes(Lake(spark, config.lake), config)
    replay.carry_out(files, spark, config, Batches(Applier(spark, config), config, upkeep, threading.Event()))
    return requests.outcome_of(files, request) or {}


def envelopes_of(
    spark: SparkSession, config: Config, applier: Applier, messages: dict[str, list[Message]]
) -> DataFrame:
    """All messages of all sources, decoded by Spark's workers, as one batch."""
    parts = []
    for name, found in messages.items():
        body = [
            {
                "message_key": one.key, "message": one.value, "headers": [dict(key=k, value=v) for k, v in one.headers],
                "stream": one.stream, "partition": one.partition, "offset": one.offset,
            }
            for one in found
        ]  # fmt: skip
        frame = spark.createDataFrame(body, MESSAGES).withColumn("arrived_at", F.timestamp_micros(F.lit(ARRIVED)))
        routes = Routes(config.tables_of(name))
        parts.append(decoded(frame, name, config.sources[name], routes, applier.known()))
    return reduce(DataFrame.unionByName, parts)
