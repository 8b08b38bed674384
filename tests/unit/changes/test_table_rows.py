"""Envelopes become a table's typed rows, each with what is wrong with it."""

from headrace.changes.columns import key_misfit, typed
from headrace.changes.schema import TableSchema
from headrace.changes.table_rows import Typing
from headrace.config import Config
from headrace.testing.builders import envelopes, upsert


def test_a_value_that_does_not_fit_is_shown_in_the_reject_unless_its_column_is_masked(spark, lake):
    settings = {
        "source": "feed",
        "key": ["id"],
        "types": {"id": "int", "age": "int", "pin": "int", "a t": "timestamp"},
        "mask": ["Pin"],
    }
    source = {"from": "files", "path": "unused", "format": "json", "position": ["at"]}
    config = Config.model_validate({"lake": str(lake), "sources": {"feed": source}, "tables": {"users": settings}})
    table = config.tables["users"]
    typing = Typing("users", table, TableSchema.declared(table.key, table.types))
    events = [
        upsert("users", {"id": 1, "age": "old", "pin": 1}, at=1),
        upsert("users", {"id": 2, "age": 2, "pin": "s3cret"}, at=2),
        upsert("users", {"id": 3, "age": 3, "pin": 3}, at=3),
        upsert("users", {"id": 4, "a t": "31.01.2024"}, at=4),
    ]
    rows, _ = typing.rows(envelopes(spark, events, config))
    problems = {row["id"]: row["_problem"] for row in rows.select("id", "_problem").collect()}
    todo = "Declare a wider type under types, then run `headrace replay`."
    assert problems == {
        1: f"column age: expected int, found 'old'. {todo}",
        2: f"column pin: expected int, found a value that is masked. {todo}",
        3: None,
        4: "column a t: expected timestamp, found '31.01.2024'. Write it in ISO 8601 at the source, or declare a t: "
        "string under types and read it under columns, such as to_timestamp(`a t`, 'dd.MM.yyyy'), then run `headrace "
        "replay`.",
    }


def test_a_key_that_says_less_than_its_text_is_refused_so_that_two_never_become_one(spark):
    texts = {
        "double": ["1.5", "3", "9007199254740993", "9007199254740992", "1e20"],
        "date": ["2024-01-31", "19753", "2024-01-31T00:00:00Z", "2024-01-31 00:00", "2024-01-31T08:00:00"],
        "bigint": ["5", "7.5"],
    }
    refused = {}
    for kind, values in texts.items():
        frame = spark.createDataFrame([(value,) for value in values], "text string")
        found = frame.where(key_misfit(frame.text, typed(frame.text, kind), kind)).collect()
        refused[kind] = [row["text"] for row in found]
    assert refused == {"double": ["9007199254740993"], "date": ["2024-01-31T08:00:00"], "bigint": ["7.5"]}


def test_names_that_differ_by_case_or_are_headrace_s_own_get_a_suffix():
    news = [(name, "string") for name in ("id", "ID", "Id", "_position", "_Op")]
    columns = TableSchema.declared(["id"], {}).learn(news).columns
    assert [(column.source, column.name) for column in columns] == [
        ("id", "id"), ("ID", "ID_2"), ("Id", "Id_3"), ("_position", "_position_2"), ("_Op", "_Op_2"),
    ]  # fmt: skip
