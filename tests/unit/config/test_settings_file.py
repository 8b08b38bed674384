"""What a good settings file becomes: values, environment, secrets, folders."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from headrace.config import Config
from headrace.config_file import load
from headrace.config_hints import HINTS
from headrace.config_hints_api import API
from headrace.config_places import MAPPINGS
from headrace.config_yaml import read
from headrace.errors import ConfigError
from unit.config.whole_settings import ALERTS, CHAT, EMBED, EVENTS, PROFILES, ROWS, SECRETS, TABLES, WHOLE

CONTRACT = TABLES


def loaded(tmp_path: Path, text: str, **environ: str) -> Config:
    file = tmp_path / "headrace.yaml"
    file.write_text(text)
    return load(file, environ)


def with_options(options: str) -> str:
    return CONTRACT.replace("format: debezium", f"format: debezium, options: {options}")


def test_the_file_of_the_contract_loads(tmp_path):
    config = loaded(tmp_path, CONTRACT)
    assert config.sources["feed"].operation.truncate == ("TRUNCATE",)
    assert config.tables["bookings"].history.track == ("status", "price")
    assert config.tables["hotels"].key == ("hotel_id",)


@pytest.mark.parametrize(
    ("written", "became"),
    [
        ("./lake", "{folder}/lake"),
        ("../lake", "{parent}/lake"),
        ("/data/lake", "/data/lake"),
        ("s3://bucket/lake", "s3://bucket/lake"),
        ("/Volumes/main/x/lake", "/Volumes/main/x/lake"),
        ("dbfs:/lake", "dbfs:/lake"),
        ("~/lake", "{home}/lake"),
    ],
)
def test_relative_folders_are_taken_from_the_folder_of_the_file(written, became, tmp_path):
    config = loaded(tmp_path, CONTRACT.replace("lake: ./lake", f'lake: "{written}"\ncheckpoints: "{written}"'))
    expected = became.format(folder=tmp_path, parent=tmp_path.parent, home=Path.home())
    assert (config.lake, config.checkpoints) == (expected, expected)


def test_paths_of_sources_are_taken_from_the_folder_of_the_file_too(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    assert loaded(tmp_path, CONTRACT).sources["feed"].path == str(tmp_path / "in")


@pytest.mark.parametrize(
    ("written", "environ", "became"),
    [
        ("${HOST}:9092", {"HOST": "kafka"}, "kafka:9092"),
        ("${HOST:-localhost}:${PORT:-1}", {}, "localhost:1"),
        ("${HOST:-localhost}", {"HOST": ""}, "localhost"),
        ("${HOST:-}x", {}, "x"),
        ("$${HOST}", {"HOST": "kafka"}, "${HOST}"),
        ("a$HOST}", {"HOST": "kafka"}, "a$HOST}"),
    ],
)
def test_variables_are_filled_in(written, environ, became, tmp_path):
    assert loaded(tmp_path, CONTRACT.replace("127.0.0.1:9092", written), **environ).sources["shop"].servers == became


def test_a_variable_may_stand_for_a_number(tmp_path):
    text = CONTRACT.replace("path: ./in", 'path: ./in, max_files_per_batch: "${FILES}"')
    assert loaded(tmp_path, text, FILES="7").sources["feed"].max_files_per_batch == 7


def test_secrets_come_from_the_environment_and_never_print(tmp_path):
    options = (
        '{kafka.ssl.key.password: {secret: env:PW}, kafka.sasl.jaas.config: "user password=${PW};", n: 3, b: true}'
    )
    config = loaded(tmp_path, with_options(options), PW="hunter2")
    found = config.sources["shop"].options
    assert isinstance(found["kafka.ssl.key.password"], SecretStr)
    assert found["kafka.ssl.key.password"].get_secret_value() == "hunter2"
    assert found["kafka.sasl.jaas.config"].get_secret_value() == "user password=hunter2;"
    assert (found["n"], found["b"]) == ("3", "true")
    for shown in (repr(config), str(config), config.model_dump_json(), repr(config.model_dump())):
        assert "hunter2" not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        with_options("{kafka.ssl.key.password: {secret: env:PW}, x: {y: {secret: env:PW}}}"),
        CONTRACT.replace("format: debezium", 'format: "${PW}"'),
        CONTRACT.replace("key: [userId]", "key: [userId]\n    , max_row_bytes: ${PW}"),
        CONTRACT.replace("source: feed", 'source: "${PW}"'),
        with_options("{kafka.ssl.key.password: [hunter2]}"),
        with_options("{kafka.ssl.key.password: {plain: {deep: hunter2}}}"),
        CONTRACT.replace("key: [hotel_id]", "key: [hotel_id], types: {a: '${PW}'}"),
    ],
)
def test_no_message_shows_a_secret_or_a_value_of_the_environment(wrong, tmp_path):
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, wrong, PW="hunter2")
    assert "hunter2" not in str(raised.value)


def test_the_environment_is_only_read_never_kept(tmp_path):
    assert "hunter2" not in repr(loaded(tmp_path, CONTRACT, PW="hunter2"))


@pytest.mark.parametrize(
    ("written", "became"),
    [
        ("on", "on"), ("no", "no"), ("2024-01-31", "2024-01-31"), ("007", "007"), ("12:30:00", "12:30:00"),
        ("1_000", "1_000"), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("-12", -12), ("true", True), ("~", None),
        ('"true"', "true"), ("0x1F", "0x1F"), (".inf", ".inf"),
    ],
)  # fmt: skip
def test_only_plain_numbers_and_true_false_null_are_more_than_text(written, became):
    document = read(f"a: {written}\n{written}: b\n")
    assert document.data["a"] == became and type(document.data["a"]) is type(became)
    assert list(document.data)[1] == written.strip('"')
    assert document.problems == []


def test_anchors_and_merge_keys_work(tmp_path):
    text = CONTRACT.replace("  users:    {", "  users: &u {").replace("  hotels:   {", "  hotels:   {<<: *u, ")
    config = loaded(tmp_path, text)
    assert config.tables["hotels"].drop == ("operation", "sequenceNum")
    assert config.tables["hotels"].key == ("hotel_id",)


def test_short_forms_and_units(tmp_path):
    text = CONTRACT.replace("key: [hotel_id]", "key: hotel_id, history: true").replace("[exported_at]", "exported_at")
    config = loaded(tmp_path, text + "log: {keep: 2 weeks}\napply: {trigger: 500ms}\n".replace("500ms", "1.5s"))
    assert config.tables["hotels"].key == ("hotel_id",)
    assert config.tables["hotels"].history is not None
    assert config.sources["dumps"].position[0].column == "exported_at"
    assert (config.log.keep, config.apply.trigger) == (timedelta(weeks=2), timedelta(seconds=1.5))


def test_operation_values_may_be_numbers_and_omitted_may_be_a_bare_null(tmp_path):
    text = CONTRACT.replace("delete: [DELETE]", "delete: [1]").replace("path: ./in,", "path: ./in, omitted: null,")
    feed = loaded(tmp_path, text).sources["feed"]
    assert (feed.operation.delete, feed.omitted) == (("1",), "null")


def test_a_file_with_a_byte_order_mark_loads(tmp_path):
    (tmp_path / "headrace.yaml").write_bytes(b"\xef\xbb\xbf" + CONTRACT.encode())
    assert load(tmp_path / "headrace.yaml", {}).tables


def models(annotation: Any) -> list[type[BaseModel]]:
    if get_origin(annotation) is Annotated:
        return models(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models(inner)]


def paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        found.append(path)
        text = str(field.annotation)
        below = models(field.annotation)
        deeper = path + ".*" if text.startswith(("dict", "tuple")) or "tuple[headrace" in text else path
        for inner in below:
            found += [deeper, *paths(inner, f"{deeper}.")]
    return found


def test_every_key_of_the_settings_has_a_hint_and_every_hint_a_key():
    known = set(paths(Config))
    free = {"", "sources.*.options.*", "tables.*.types.*", "tables.*.columns.*", "tables.*.properties.*", "spark.*"}
    free |= {f"knowledge.{one}.{key}.*" for one in ("embed", "models.*") for key in ("headers", "arguments")}
    free |= {f"assistant.{one}.headers.*" for one in ("model", "answers.fallback.*", "judge.model")}
    free |= {"datasets.sets.*.evaluate.*.headers.*"}
    free |= {"knowledge.indexes.*.options.*", "derive.*.reach.*", "sources.*.headers.*"}
    free |= {"assistant.context.stale_after.sources.*", "assistant.events.options.*"}
    free |= {f"profiles.records.*.{key}.*" for key in ("identifiers", "fields")}
    free |= {f"profiles.{key}.*" for key in ("related.*.by", "consent.by", "windows")}
    free |= {f"profiles.behaviour.*.{key}.*" for key in ("by", "sums", "top")}
    free |= {"alerts.rules.*.slice.*", "alerts.outputs.*.headers.*"}
    free |= {one for one in HINTS if re.fullmatch(r"web\.(.*\.)?(pages|audience|webhooks|hosts)\.\*", one)}
    assert set(HINTS) == known | free | {"tables.*.expect.*.values.*"}


NAMES = {
    "measures": "slow",
    "readers": "ada",
    "sources": "feed", "tables": "users", "documents": "folder", "indexes": "sqlite", "models": "better",
    "records": "web", "fields": "name", "related": "orders", "behaviour": "views", "stores": "sqlite",
    "derive": "stays",
}  # fmt: skip
KINESIS_ONLY = (
    "streams", "region", "endpoint", "role_arn", "external_id", "reader", "on_lost", "max_records_per_batch",
    "max_bytes_per_batch", "max_seconds_per_batch",
)  # fmt: skip
KAFKA_ONLY = (
    "servers", "topics", "max_offsets_per_batch", "first_position", "options", "from", "registry", "kind", "url",
    "username", "password", "token", "ca_file",
)  # fmt: skip


def names_in_profiles(steps: list[str]) -> dict[str, str]:
    kind = {"region": "phone", "of": "names"}.get(steps[-1], "email")
    names = {**NAMES, "identifiers": kind, "by": "web"}
    section = MAPPINGS["profiles.stores.*"]
    return names | {"stores": section.kinds_with(steps[3])[0]} if steps[1:3] == ["stores", "*"] and steps[3:] else names


def names_for(steps: list[str]) -> dict[str, str]:
    """The entry of each section that has the key: in the settings for tests, entries are called by their kind."""
    if "serve" in steps:
        return {**NAMES, "stores": "live", "filters": "name"}
    if steps[0] == "profiles":
        return names_in_profiles(steps)
    if steps[0] == "alerts":
        kinds = MAPPINGS[".".join(steps[:3])].kinds_with(steps[3]) if steps[3:] else ["threshold"]
        return {**NAMES, **dict.fromkeys(("rules", "outputs"), kinds[0])}
    if steps[0] == "datasets":
        place = ".".join(steps[:5])
        kinds = MAPPINGS[place].kinds_with(steps[5]) if steps[5:] and place in MAPPINGS else ["bedrock"]
        return {**NAMES, "sets": "support", "launch": min(kinds), "evaluate": kinds[0]}
    if steps[:2] == ["feedback", "publish"]:
        return {
            **NAMES,
            "publish": (MAPPINGS["feedback.publish.*"].kinds_with(steps[3]) if steps[3:] else ["sqlite"])[0],
        }
    names = {**NAMES, "sources": "shop"} if set(KAFKA_ONLY) & set(steps) else NAMES
    names = {**NAMES, "sources": "clicks"} if set(KINESIS_ONLY) & set(steps) else names
    names = {**names, "sources": "rooms"} if steps[0] == "sources" and steps[2:] and steps[2] in API else names
    if "auth" in steps[:-1]:
        return {**names, "sources": "shop", "indexes": "kafka"}
    names = {**names, "sources": "shop"} if steps[2:] == ["auth"] else names
    section = MAPPINGS.get(".".join(steps[:3]))
    if section and len(steps) > 3 and steps[1] in ("documents", "indexes"):
        names = names | {steps[1]: section.kinds_with(steps[3])[0]}
    return names


def embed_for(key: str) -> dict[str, Any]:
    """Settings of the first embedder that has the key."""
    provider = next(iter(MAPPINGS["knowledge.embed"].kinds_with(key)), "static")
    return {"provider": provider, **EMBED[provider]}


def chat_for(path: str, place: str) -> dict[str, Any]:
    """Settings of the first model that has the key that the path names below its place."""
    key = path.removeprefix(f"{place}.").split(".")[0] if path.startswith(f"{place}.") else ""
    provider = next(iter(MAPPINGS[place].kinds_with(key)), "bedrock" if "judge" in place else "extractive")
    return {"provider": provider, **CHAT[provider]}


def conversing_for(path: str) -> dict[str, Any]:
    """Settings of conversations and events, of the first kind that has the key that the path names."""
    made = {}
    for place, name, kinds in (("assistant.conversations.store", "store", ROWS), ("assistant.events", "to", EVENTS)):
        key = path.removeprefix(f"{place}.").split(".")[0] if path.startswith(f"{place}.") else name
        kind = MAPPINGS[place].kinds_with(key)[0]
        made[place.split(".")[1]] = {name: kind, **kinds[kind]}
    return {"conversations": {"store": made["conversations"]}, "events": made["events"]}


def served_store_for(path: str) -> dict[str, Any]:
    """Settings of the first store of served rows that has the key that the path names."""
    place, _, key = path.partition("serve.stores.*.")
    kind = MAPPINGS["serve.stores.*"].kinds_with(key)[0] if key and not place else "sqlite"
    own = {"collection": "served"} if kind == "documentdb" else {"path": "./live.db"} if kind == "sqlite" else {}
    return {"store": kind, **ROWS[kind], **own}


@pytest.mark.parametrize("path", [path for path in HINTS if path])
def test_every_example_is_right_where_it_is_shown(path, tmp_path):
    data = yaml.safe_load(WHOLE + PROFILES + ALERTS)
    data["sources"]["feed"]["position"] = [{"column": "sequenceNum"}]
    data["tables"]["users"]["expect"] = [{"column": "price", "max": 5}]
    more_chat = chat_for(path, "assistant.answers.fallback.*")
    data["assistant"] = {"model": chat_for(path, "assistant.model"), "answers": {"fallback": [more_chat]}}
    data["assistant"] |= conversing_for(path) | {"judge": {"model": chat_for(path, "assistant.judge.model")}}
    data["web"] = {"webhooks": ["feed"], "readers": {"ada": {"token": {"secret": "env:ADA_TOKEN"}}}}
    data["serve"] = {"stores": {"live": served_store_for(path)}}
    for place in (data["tables"]["users"], data["derive"]["stays"]):
        place["serve"] = {"store": "live", "about": "A row.", "filters": {"name": {}}}
    if path.startswith(("feedback", "datasets")):
        data["sources"]["events"] = {"from": "files", "path": "./events", "format": "json", "position": ["at"]}
        data["feedback"] = {"sources": ["events"], "measures": {"slow": {"numerator": "seconds > 9"}}}
        hosts = {"hosts": ["https://127.0.0.1:9200"], "auth": "basic", "user": "a", "password": "${PW:-b}"}
        data["feedback"]["publish"] = {
            "sqlite": {"store": "sqlite", "path": "./measures.db"}, "opensearch": {"store": "opensearch", **hosts}
        }  # fmt: skip
        data["feedback"] |= {"sentiment": "comprehend"} if path.startswith("feedback.comprehend") else {}
    if path.startswith("datasets."):
        to = {"role": "arn:aws:iam::123456789012:role/t", "output": "s3://bucket/models"}
        launch = {"bedrock": {"service": "bedrock", "base_model": "nova", **to}}
        launch["sagemaker"] = {"service": "sagemaker", "image": "x", **to}
        support = {"kind": "sft", "formats": ["trl_sft"], "launch": launch}
        support["evaluate"] = {one: {"provider": one, **CHAT[one]} for one in ("bedrock", "sagemaker", "openai")}
        key = {"secret": "env:DATASETS_KEY"}
        data["datasets"] = {"key": key, "mlflow": {"uri": "databricks"}, "sets": {"support": support}}
    example = yaml.safe_load(HINTS[path].example)
    steps = path.split(".")
    data["knowledge"]["embed"] = embed_for(steps[2] if path.startswith("knowledge.embed.") else "")
    data["knowledge"]["models"] = {"better": embed_for(steps[3] if path.startswith("knowledge.models.*.") else "")}
    (first, *more) = example
    # An example is written as it stands in its mapping: `keep: 14 days` below log, `{column: ...}` for one rule.
    last = len(steps) - 1 - steps[::-1].index(first) if first in steps else len(steps) - (not more)
    parent = steps[:last]
    names = names_for(steps)
    place: Any = data
    for step, before in zip(parent, ["", *parent], strict=False):
        step = names.get(before, 0) if step == "*" else step
        place = place[step] if isinstance(place, list) else place.setdefault(step, {})
    if first == "check":
        place.clear()
    place.update(example)
    if path == "sources.*.format":
        data["sources"]["feed"].pop("operation")
    if path == "tables.*.columns.*":
        data["tables"]["users"]["key"] = ["userId"]
    if path == "sources":
        data["tables"] = {"users": {"source": "feed", "key": "id"}}
    if path in ("sources", "tables"):
        data.pop("knowledge")
        data.pop("profiles")
        data.pop("derive")
        data["sources"].pop("rooms", None)
    if path == "profiles":
        data["profiles"] = example["profiles"]
    if path == "sources.*":
        data["sources"]["feed"].pop("operation", None)
    secrets = dict.fromkeys(re.findall(r"env:(\w+)", " ".join(hint.example for hint in HINTS.values())), "x" * 16)
    secrets |= SECRETS
    assert isinstance(loaded(tmp_path, yaml.safe_dump(data), **secrets), Config)


lines = WHOLE.splitlines()
edit = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, len(WHOLE) - 1), st.integers(1, 30)),
    st.tuples(st.just("put"), st.integers(0, len(WHOLE) - 1), st.text(max_size=12)),
    st.tuples(st.just("put"), st.integers(0, len(WHOLE) - 1), st.sampled_from(
        [": ", "- ", "{", "}", "[", "]", "&a ", "*a", "<<: ", "!!x ", "? ", "| ", "\n", "\t", "${", "${A}", "'", '"',
         "#", "null", "{secret: env:A}", "{secret: 1}", "1e999", "key: ", "---\n", "\x00", "~",
         "!!python/object:os.system "]
    )),
    st.tuples(st.just("copy"), st.integers(0, len(lines) - 1), st.integers(0, len(lines) - 1)),
)  # fmt: skip


def edited(text: str, edits: list[tuple[str, Any, Any]]) -> str:
    for kind, where, what in edits:
        if kind == "cut":
            text = text[:where] + text[where + what :]
        elif kind == "put":
            text = text[:where] + what + text[where:]
        else:
            rows = text.splitlines()
            text = "\n".join([*rows[:where], lines[what], *rows[where:]])
    return text


@given(edits=st.lists(edit, min_size=1, max_size=4))
def test_whatever_is_done_to_the_file_it_loads_or_raises_a_readable_config_error(edits, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "edited.yaml"
    file.write_text(edited(WHOLE, edits), encoding="utf-8", errors="surrogatepass")
    try:
        assert load(file, {}).lake
    except ConfigError as error:
        text = str(error)
        assert not re.search(r"pydantic|type=|input_value|Traceback|extra_forbidden", text)
        assert len(text.splitlines()) > 1 or "UTF-8" in text


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just({"secret": "env:A"})),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@given(path=st.sampled_from(sorted(HINTS)), value=values)
def test_any_value_at_any_key_loads_or_raises_a_config_error_that_names_a_place(path, value, tmp_path_factory):
    data = yaml.safe_load(WHOLE + PROFILES + ALERTS)
    names = {**names_for(path.split(".")), "sources": "shop"}
    place: Any = data
    steps = [
        names.get(before, "0") if step == "*" else step
        for before, step in zip(["", *path.split(".")], path.split("."), strict=False)
    ]
    for step in steps[:-1]:
        inside = place.get(step)
        place[step] = place = inside if isinstance(inside, dict) else {}
    place[steps[-1]] = value
    file = tmp_path_factory.getbasetemp() / "changed.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
    try:
        load(file, {**os.environ, **SECRETS})
    except ConfigError as error:
        assert re.search(r"line \d+|UTF-8", str(error))
