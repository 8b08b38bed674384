"""Rows that no one should send: each is kept out with a reason, or stands alone; everybody else's profile is right."""

import threading
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.pipelines import apply_changes, build_profiles
from headrace.stores.delta_reader import DeltaReader
from people_oracle import check, hashed
from people_world import KINDS, Change, PeopleWorld

MEGABYTE = 1 << 20
JOINED = "2020-01-01T00:00:00Z"


def record(world: PeopleWorld, table: str, key: str, **columns: Any) -> Change:
    """A row of a record; columns that are not named are null."""
    return world.change(table, key, dict.fromkeys([*KINDS, "city", "joined_at"]) | {"joined_at": JOINED} | columns)


def circle(world: PeopleWorld) -> list[Change]:
    """Three records that lead to each other in a circle, and six that share nothing but junk, in circles too."""
    linked = [("email", "phone"), ("phone", "mail"), ("mail", "email")]
    rows = [
        record(world, "customers", f"ring-{at}", name="Ada", **{kind: f"ring {kind}" for kind in kinds})
        for at, kinds in enumerate(linked)
    ]
    junk = [("email", "phone"), ("phone", "device"), ("device", "email")]
    for at, kinds in enumerate([*junk, *junk]):
        rows.append(record(world, "callers", f"junk-{at}", **dict(zip(kinds, ("unknown", " n/a", "-1"), strict=False))))
    return rows


@pytest.mark.parametrize("sharing", [
    pytest.param(300, id="300"), pytest.param(100_000, id="100,000", marks=pytest.mark.soak),
])  # fmt: skip
def test_bad_rows_harm_nobody_else(spark: SparkSession, tmp_path: Path, sharing: int) -> None:
    world = PeopleWorld(tmp_path, seed=9)
    rows = [*world.records(40), *world.belongings(30), *circle(world)]
    rows += [record(world, "callers", f"shared-{at}", phone="one for all") for at in range(sharing)]
    rows += [
        record(world, "customers", "odd-large", city="x" * MEGABYTE, email="odd email"),
        record(world, "customers", "odd-long", email="y" * MEGABYTE, phone="odd phone"),
        record(world, "customers", "odd-types", email=17, phone=True, device=["odd"], mail={"odd": [1]}, born=1.5),
        record(world, "customers", "odd-nulls", joined_at=None),
        record(world, "customers", "odd-empty", **dict.fromkeys(KINDS, "")),
        world.change("bookings", "odd", {"customer_id": "nobody", "price": None}),
        world.change("clicks", "odd", {"caller_id": "shared-1", "device": None, "time": None, "amount": "many",
                                       "page": None}),
        world.change("clicks", "odd-amount", {"caller_id": "shared-1", "device": None, "time": JOINED, "amount": None,
                                              "page": None}),
    ]  # fmt: skip
    world.write(rows)
    apply_changes.run(world.config, once=True, stop=threading.Event())
    build_profiles.run(world.config, once=True, stop=threading.Event())

    tables = check(world)
    lake = DeltaReader(world.settings["lake"])
    persons = {(ref.record, ref.key): row["person"] for ref, row in tables.people.items()}
    assert len({persons["shop", f'["ring-{at}"]'] for at in range(3)}) == 1
    assert len({persons["calls", f'["junk-{at}"]'] for at in range(6)}) == 6
    assert len({person for (_, key), person in persons.items() if "shared-" in key}) == sharing
    held = lake.query("quarantine", "SELECT hash, records FROM rows WHERE kind = 'phone'")
    assert {"hash": hashed("phone", "one for all").hash, "records": sharing} in held
    assert {(one[2], one[3]) for one in tables.refused} == {('["odd-large"]', "city")}
    sql = "SELECT reason, detail, `key` FROM rows"
    rejects = {(row["reason"], row["key"]): row["detail"] for row in lake.query("rejects/build_profiles", sql)}
    assert rejects == {
        ("oversize field", '["odd-large"]'): f"expected at most 4096 bytes in city; found {MEGABYTE}. "
        "Raise profiles.max_field_bytes, or shorten it.",
        ("oversize identifier", '["odd-long"]'): f"email: expected at most 1000 characters; found {MEGABYTE}.",
    }
    sql = "SELECT reason, `key`, `table` FROM rows"
    assert lake.query("rejects/apply_changes", sql) == [
        {"reason": "incompatible value", "key": '["odd"]', "table": "clicks"}
    ]
