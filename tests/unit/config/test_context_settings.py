"""Settings of the context and of served tables."""

import copy
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from headrace.config import Config
from headrace.config_assistant import Assistant
from headrace.config_context import Context, Part
from headrace.config_file import load
from headrace.config_hints_context import CONTEXT, SERVE, SERVED
from headrace.config_keyed_stores import DocumentDbRows
from headrace.config_places import MAPPINGS
from headrace.config_serve import Filter, Serve, ServedTable, misfits
from headrace.stores.keyed_sqlite import SqliteStore

PAGE = Path(__file__).parents[3] / "docs" / "context.md"
MONGO = {"store": "documentdb", "uri": "mongodb://host"}
GOOD: dict[str, Any] = {"store": "live", "about": "A flight.", "filters": ["number"]}


def table(**changes: Any) -> ServedTable:
    return ServedTable.model_validate(GOOD | changes)


def test_the_example_of_the_docs_loads() -> None:
    (block,) = re.findall(r"^```\n(serve:.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    example = yaml.safe_load(block)
    serve = Serve.model_validate(example["serve"])
    served = ServedTable.model_validate(example["tables"]["flights"]["serve"])
    context = Assistant.model_validate(example["assistant"]).context

    assert list(misfits(serve, {"tables.flights": served})) == []
    assert served.types() == {"number": "string", "day": "date", "flight_id": "integer"}
    assert context.stale_after.of("policies") == timedelta(days=365)
    assert context.stale_after.of("hotels") == timedelta(days=30)
    assert context.rows.limit(context.tokens) == 1_800
    assert SqliteStore(serve.stores["live"])


def test_filters_may_be_a_list() -> None:
    assert table(filters=["a", "b"]).filters == {"a": Filter(), "b": Filter()}


def test_a_part_takes_the_smaller_of_share_and_most() -> None:
    assert [Part(share=0.5).limit(999), Part(most=10).limit(999), Part(share=0.5, most=600).limit(999)] == [
        499,
        10,
        499,
    ]


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: table(filters=[]), "at least 1 item"),
    (lambda: table(filters=list("abcdef")), "at most 5 items"),
    (lambda: table(filters={"a" * 65: {}}), "at most 64 characters"),
    (lambda: table(filters={"a b": {}}), "match pattern"),
    (lambda: table(about=""), "at least 1 character"),
    (lambda: table(most=101), "less than or equal to 100"),
    (lambda: table(most_bytes=999), "greater than or equal to 1000"),
    (lambda: table(more=1), "Extra inputs"),
    (lambda: table(filters={"a": {"in_question": "["}}), "expected a regular expression"),
    (lambda: table(filters={"a": {"in_question": "(?<=x)[0-9]"}}), "no look-around.*found .*invalid perl operator"),
    (lambda: table(filters={"a": {"in_profile": "bookings.id"}}), r"fields\.NAME or related\.FEED\.COLUMN"),
    (lambda: table(filters={"a": {"type": "integer", "values": ["1"]}}), "values of a text only"),
    (lambda: Serve.model_validate({"stores": {}}), "at least 1 item"),
    (lambda: Serve.model_validate({"stores": {"a": {"store": "neptune", "url": "w"}}}), "any of the expected tags"),
    (lambda: Serve.model_validate({"stores": {"a": {"table": "t"}}}), "Unable to extract tag"),
    (lambda: Serve.model_validate({"stores": {"a": MONGO}}), "a collection of its own; found none"),
    (
        lambda: Serve.model_validate({"stores": dict.fromkeys("ab", MONGO | {"collection": "served"})}),
        r"b\.collection: .*a place of its own",
    ),
    (
        lambda: Serve.model_validate({"stores": {name: {"store": "dynamodb", "table": "t"} for name in "ab"}}),
        r"b\.table: .*a place of its own",
    ),
    (lambda: Serve.model_validate({"stores": {name: {"path": "./x.db"} for name in "ab"}}), "a place of its own"),
    (lambda: Context.model_validate({"order": ["rows", "rows", "profile", "passages"]}), "each part once"),
    (lambda: Context.model_validate({"tokens": 999}), "greater than or equal to 1000"),
    (lambda: Context.model_validate({"rows": {"share": 1.1}}), "less than or equal to 1"),
    (lambda: Context.model_validate({"stale_after": {"default": "soon"}}), "a duration such as"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_cannot_work_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make()


def test_tables_and_stores_must_fit() -> None:
    served = {"tables.flights": table(store="other"), f"derive.{'t' * 58}": table()}
    serve = Serve.model_validate({"stores": {"live": {"path": "./live.db"}}})
    store, name = misfits(serve, served)
    assert str(store) == (
        "tables.flights.serve.store: expected one of the stores of serve (live); found other; e.g. store: live"
    )
    assert "at most 57 characters" in str(name) and name.where == f"derive.{'t' * 58}.serve"
    assert "(there are none)" in str(next(misfits(None, {"tables.flights": table()})))


def keys_of(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """The place of every key below a model."""
    for name, field in model.model_fields.items():
        place = f"{above}{name}"
        yield place
        inner = field.annotation
        by_name = get_origin(inner) is dict
        if by_name:
            place, inner = f"{place}.*", get_args(inner)[1]
            yield place
        for one in get_args(get_args(inner)[0]) if get_origin(inner) is Annotated else [inner]:
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from keys_of(one, f"{place}.")


STORES: dict[str, dict[str, str]] = {
    "sqlite": {"path": "./live.db"},
    "documentdb": {"uri": MONGO["uri"], "collection": "served"},
    "dynamodb": {"table": "t"},
}


@pytest.mark.parametrize(
    ("model", "hints", "base"),
    [
        (Context, CONTEXT, {}),
        (Serve, SERVE, {"stores": {"live": {"path": "./live.db"}}}),
        (ServedTable, SERVED, GOOD | {"filters": {"number": {}}}),
    ],
)
def test_every_key_has_a_hint_whose_example_is_right(
    model: type[BaseModel], hints: dict[str, tuple[str, str]], base: dict[str, Any]
) -> None:
    assert set(keys_of(model)) == set(hints) - {""}
    for place, (expected, example) in hints.items():
        assert expected
        ((key, value),) = yaml.safe_load(example).items()
        whole = copy.deepcopy(base)
        if model is Serve and place.startswith("stores.*."):
            kind = MAPPINGS["serve.stores.*"].kinds_with(place.split(".")[2])[0]
            value = MONGO["uri"] if key == "uri" else value  # a secret, which the file's loader puts in
            whole = {"stores": {"live": {"store": kind, **STORES[kind]}}}
        *above, last = place.split(".")
        assert key == last or last in ("*", "")
        if not place:
            whole = value
        else:
            inner: Any = whole
            for step in above:
                inner = inner.setdefault(next(iter(inner), "policies") if step == "*" else step, {})
            inner[key] = value
        model.model_validate(whole)


def whole(**changed: Any) -> dict[str, Any]:
    serve = {"store": "live", "about": "A user.", "filters": ["name"]}
    users = {"source": "feed", "key": ["id"], "serve": serve} | changed
    feed = {"from": "files", "path": "/in", "format": "json", "position": ["at"]}
    stores = {"live": {"store": "sqlite", "path": "/live.db"}}
    return {"lake": "/lake", "sources": {"feed": feed}, "tables": {"users": users}, "serve": {"stores": stores}}


def test_a_whole_file_names_its_served_tables_and_is_told_what_does_not_fit() -> None:
    derive = {"names": {"key": ["id"], "sql": "SELECT id FROM users", "serve": whole()["tables"]["users"]["serve"]}}
    assert list(Config.model_validate(whole() | {"derive": derive}).served()) == ["users", "names"]
    with pytest.raises(ValidationError, match=r"tables\.users\.serve\.store: expected one of the stores"):
        Config.model_validate({key: one for key, one in whole().items() if key != "serve"})
    with pytest.raises(ValidationError, match=r"tables\.users\.serve\.filters\.name: .*one in drop"):
        Config.model_validate(whole(drop=["Name"]))
    assert Config.model_validate(whole(drop=["name"], columns={"name": "upper(name)"}))
    profiles = {
        "hash_key": "sixteen-letters-or-more",
        "records": {"web": {"table": "users", "identifiers": {"email": "mail"}}},
        "stores": {"main": {"store": "sqlite", "path": "/live.db"}},
    }
    with pytest.raises(ValidationError, match=r"serve\.stores\.live\.path: .*the same as profiles\.stores\.main"):
        Config.model_validate(whole() | {"profiles": profiles})
    table = {"store": "dynamodb", "table": "t"}
    both = whole(serve={**whole()["tables"]["users"]["serve"], "store": "a"}) | {"serve": {"stores": {"a": table}}}
    with pytest.raises(ValidationError, match=r"serve\.stores\.a\.table: .*the same as profiles\.stores\.main"):
        Config.model_validate(both | {"profiles": profiles | {"stores": {"main": table}}})


def test_certificates_of_a_store_lie_beside_the_settings(tmp_path: Path) -> None:
    store = {"store": "documentdb", "uri": {"secret": "env:MONGO"}, "collection": "served", "ca_file": "./bundle.pem"}
    file = tmp_path / "headrace.yaml"
    file.write_text(yaml.safe_dump(whole() | {"serve": {"stores": {"live": store}}}))
    loaded = load(file, {"MONGO": "mongodb://me:hunter2@host"})
    assert loaded.serve is not None
    live = loaded.serve.stores["live"]
    assert isinstance(live, DocumentDbRows) and live.ca_file == str(tmp_path / "bundle.pem")
    assert live.uri.get_secret_value() == "mongodb://me:hunter2@host" and "hunter2" not in repr(loaded)
