"""Tries everything a deployment needs before a job does: one line each, and what to fix."""

import importlib.util
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from headrace.config import Config
from headrace.config_registry import ConfluentRegistry, GlueRegistry
from headrace.config_sources import ApiSource, FilesSource, KafkaSource, KinesisSource
from headrace.errors import ConfigError, HeadraceError, MissingDependency
from headrace.pipelines import check_assistant
from headrace.pipelines.java import find_java
from headrace.pipelines.lag import data_files
from headrace.pipelines.lake_place import check_lake
from headrace.stores import schema_registry
from headrace.stores.api_client import ApiClient
from headrace.stores.files import LakeFiles
from headrace.stores.kafka_look import KafkaLook
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.kinesis_look import KinesisLook
from headrace.stores.kinesis_places import places
from headrace.stores.kinesis_source import native_options


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing tried. `said` is what was found; for a failure `todo` says what to fix."""

    name: str
    ok: bool
    said: str
    todo: str = ""


def check(config: Config) -> Iterator[Finding]:
    """Try the packages, Java, the lake and every source, one finding at a time. Never raises for what it tries."""
    yield _tried("packages", lambda: _packages(config))
    yield _tried("java", _java)
    yield _tried("lake", lambda: _lake(config))
    if config.checkpoints:
        checkpoints = config.checkpoints
        yield _tried("checkpoints", lambda: _writable(checkpoints))
    if any(table.where or table.columns or table.expect for table in config.tables.values()):
        yield from _sql(config)
    if config.derive:
        yield from _derived(config)
    of_documents = config.knowledge.sources() if config.knowledge else frozenset()
    of_events = config.feedback.sources if config.feedback else ()
    for name, source in config.sources.items():
        if isinstance(source, KafkaSource):
            yield _kafka(name, source)
        elif isinstance(source, KinesisSource):
            yield _tried(f"source {name}: kinesis", lambda source=source: _kinesis(source))  # type: ignore[misc]
        elif isinstance(source, ApiSource):
            yield _tried(f"source {name}: api", lambda name=name, source=source: _api(name, source))  # type: ignore[misc]
        else:
            yield _folder(name, source)
        if isinstance(source, KafkaSource | KinesisSource) and (registry := source.registry) is not None:
            yield _tried(f"source {name}: registry", lambda registry=registry: _registry(registry))  # type: ignore[misc]
        if not config.tables_of(name) and name not in of_documents and name not in of_events:
            todo = f"Add a table with source: {name}, or remove the source."
            yield Finding(f"source {name}: tables", False, "no table reads this source", todo)
    if config.serve is not None:
        from headrace.pipelines import check_serve

        for title, trial in check_serve.trials(config):
            yield _tried(title, trial)
    for title, trial in check_assistant.trials(config):
        yield _tried(title, trial)
    if config.knowledge is not None:
        from headrace.pipelines import check_knowledge

        for title, trial in check_knowledge.trials(config, config.knowledge):
            yield _tried(title, trial)
    if config.profiles is not None:
        from headrace.pipelines import check_profiles

        for title, trial in check_profiles.trials(config, config.profiles):
            yield _tried(title, trial)
    if config.feedback is not None:
        from headrace.pipelines import check_feedback

        yield _tried("feedback: sentiment", lambda: _sentiment(config))
        for title, trial in check_feedback.trials(config, config.feedback):
            yield _tried(title, trial)


def _tried(name: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, attempt())
    except HeadraceError as error:
        return _failed(name, error)


def _failed(name: str, error: HeadraceError) -> Finding:
    place = f"{error.where}: " if isinstance(error, ConfigError) else ""
    todo = error.todo.replace(", then run `headrace check`", "")
    return Finding(name, False, f"{place}expected {error.expected}; found {error.found}", todo)


def _packages(config: Config) -> str:
    wanted = {"pyspark": "local", "delta": "local", "deltalake": "read", "pyarrow": "read"}
    if any(isinstance(source, KafkaSource) for source in config.sources.values()):
        wanted["confluent_kafka"] = "kafka"
    if any(isinstance(source, KafkaSource) and source.auth for source in config.sources.values()):
        wanted["aws_msk_iam_sasl_signer"] = "kafka"
    if any(getattr(source, "registry", None) is not None for source in config.sources.values()):
        wanted["fastavro"] = "avro"
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        extras = ",".join(dict.fromkeys(wanted[name] for name in missing))
        todo = f"Run `pip install 'headrace[{extras}]'`."
        raise MissingDependency(expected=", ".join(wanted), found=f"no {', '.join(missing)}", todo=todo)
    return f"{', '.join(wanted)} are installed"


def _sentiment(config: Config) -> str:
    from headrace.pipelines.comprehend_feeling import ComprehendFeeling, feeler_of

    made = feeler_of(config.feedback, LakeFiles(config.lake)) if config.feedback else None
    if isinstance(made, ComprehendFeeling):
        return f"{made.name} answers: a friendly sentence is {made.check()}"
    return f"{made.name} and a detector of languages are there" if made else "none: comments are kept as they are"


def _java() -> str:
    java = find_java()
    return f"Java {java.major} in {java.found_in}"


def _sql(config: Config) -> Iterator[Finding]:
    from headrace.changes import settings_sql
    from headrace.pipelines.runtime import spark_session

    try:
        spark = spark_session("headrace check", settings=config.spark)
    except HeadraceError as error:
        yield _failed("sql", error)
        return
    wrong = [one for name, table in config.tables.items() for one in settings_sql.unreadable(spark, name, table)]
    for one in wrong:
        yield _failed("sql", one)
    if not wrong:
        said = (
            "where, columns and expect of every table are SQL; whether they fit the columns is seen in the first batch"
        )
        yield Finding("sql", True, said)


def _derived(config: Config) -> Iterator[Finding]:
    """Whether the SQL of derived tables can be kept by keys, and fits the base tables that are there."""
    from headrace.changes.derive import Derivations
    from headrace.lake import Lake
    from headrace.pipelines.runtime import spark_session

    try:
        spark = spark_session("headrace check", s3=config.lake.startswith("s3://"), settings=config.spark)
        waiting = Derivations(spark, config).waiting(Lake(spark, config.lake))
    except HeadraceError as error:
        yield _failed("derive", error)
        return
    said = [f"{len(config.derive) - len(waiting)} of {len(config.derive)} fit their tables"]
    said += [f"{name} waits for {', '.join(bases)}" for name, bases in waiting.items()]
    yield Finding("derive", True, "; ".join(said))


def _lake(config: Config) -> str:
    check_lake(config.lake, config.runtime)
    return _writable(config.lake)


def _writable(place: str) -> str:
    files = LakeFiles(place)
    new = not files.exists()
    probe = f"_headrace_check_{secrets.token_hex(8)}"
    files.create()
    try:
        files.write_text(probe, "written by `headrace check`; may be deleted\n")
        content = files.read_text(probe)
    finally:
        files.delete(probe)
    read = "written, read and deleted a file" if content else "written a file"
    return f"{place}: {read}" + (" (the folder is new)" if new else "")


def _folder(name: str, source: FilesSource) -> Finding:
    title = f"source {name}: folder"
    if "://" in source.path:
        return _tried(title, lambda: _remote(source.path))
    if not os.path.isdir(source.path):
        found = "a file" if os.path.exists(source.path) else "no such folder"
        return Finding(title, False, f"{source.path}: {found}", f"Create it, or correct sources.{name}.path.")
    if not os.access(source.path, os.R_OK | os.X_OK):
        todo = "Give the user that runs the job the right to read it."
        return Finding(title, False, f"{source.path}: may not be read", todo)
    count = sum(1 for _ in data_files(Path(source.path)))
    return Finding(title, True, f"{source.path}: {count} files")


def _remote(path: str) -> str:
    files = LakeFiles(path)
    return f"{path}: {len(files.names())} files, {len(files.folders())} folders"


def _kafka(name: str, source: KafkaSource) -> Finding:
    title = f"source {name}: kafka"
    try:
        found = KafkaLook(source.servers, source.options, source.auth).topics(source.topics)
    except HeadraceError as error:
        return Finding(title, False, f"expected {error.expected}; found {error.found}", error.todo)
    if not found:
        patterns = ", ".join(source.topics)
        return Finding(title, False, f"{source.servers} answers; no topic matches {patterns}",
                       f"Correct sources.{name}.topics, or start the connector that makes them.")  # fmt: skip
    topics = ", ".join(list(found)[:5]) + (", ..." if len(found) > 5 else "")
    return Finding(title, True, f"{source.servers}: {len(found)} topics match ({topics})")


def _registry(settings: ConfluentRegistry | GlueRegistry) -> str:
    said = schema_registry.asked(settings, Backoff(give_up=0)).tried()
    place = settings.url if isinstance(settings, ConfluentRegistry) else "AWS Glue Schema Registry"
    return f"{place}: {said}"


def _api(name: str, source: ApiSource) -> str:
    client = ApiClient(source, f"sources.{name}")
    try:
        client.reach()
        return f"{urlsplit(source.url).netloc} answers; whether it knows the keys and the token shows in the job"
    finally:
        client.close()


def _kinesis(source: KinesisSource) -> str:
    for place in places(source):
        native_options(source, place)
    found = KinesisLook(source).tried()
    return "; ".join(
        f"{name}: {stream.status}, {stream.open_shards} open shards, keeps {stream.retention // 3_600_000} hours"
        for name, stream in found.items()
    )
