"""Registries: what is asked, what answers mean, and what is done when none comes. A stub serves Confluent's paths."""

import base64
import pickle
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.stub import Stubber

from headrace.config_registry import ConfluentRegistry, GlueRegistry
from headrace.config_sources import KafkaSource
from headrace.errors import ConfigError, Fatal, FromWorker, Retryable, Unreachable
from headrace.ports import WriterSchema
from headrace.stores import schema_registry
from headrace.stores.glue_registry import Glue
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.schema_registry import Confluent, Remembering
from registry_stub import TLS, Answer, Registry, serving

GUID = UUID("89791762-2336-4186-9674-299b90a802e2")


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as found:
        yield found


def patient() -> tuple[Backoff, list[float]]:
    """A back-off whose time passes at once, and its waits."""
    waits: list[float] = []
    return Backoff(give_up=60, sleep=waits.append, clock=lambda: sum(waits), pick=lambda _, most: most), waits


def client(registry: Registry, **more: Any) -> Confluent:
    settings = ConfluentRegistry.model_validate({"kind": "confluent", "url": registry.url, **more})
    return Confluent(settings, patient()[0])


def test_a_schema_is_asked_for_by_its_id_or_guid(registry):
    registry.says("/schemas/ids/7", (200, {"schema": '"int"'}))
    registry.says(f"/schemas/guids/{GUID}", (200, {"schema": "{}", "schemaType": "JSON"}))
    assert client(registry).schema(7) == WriterSchema('"int"', "AVRO")
    assert client(registry).schema(GUID) == WriterSchema("{}", "JSON")


def test_what_a_schema_refers_to_comes_with_it_each_after_what_it_needs(registry):
    def refers(text: str, *subjects: str) -> Answer:
        references = [{"name": name, "subject": name, "version": 2} for name in subjects]
        return 200, {"schema": text, "references": references}

    registry.says("/schemas/ids/1", refers("root", "b/x", "c"))
    registry.says("/subjects/b%2Fx/versions/2", refers("b", "a"))
    registry.says("/subjects/c/versions/2", refers("c", "a"))
    registry.says("/subjects/a/versions/2", refers("a"))
    assert client(registry).schema(1) == WriterSchema("root", imported=("a", "b", "c"))
    assert len(registry.asked) == 4


def test_an_unknown_id_is_none_and_is_asked_for_again_a_known_one_is_not(registry):
    remembering = Remembering(client(registry))
    assert remembering.schema(7) is None
    registry.says("/schemas/ids/7", (200, {"schema": '"int"'}))
    for _ in range(3):
        assert remembering.schema(7) == WriterSchema('"int"')
    assert len(registry.asked) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_what_may_pass_is_tried_again_for_a_while_and_then_fails_the_batch(status, registry):
    registry.says("/schemas/ids/7", (status, {"message": "busy"}), (status, b"<html>"), (200, {"schema": '"int"'}))
    assert client(registry).schema(7) == WriterSchema('"int"')
    registry.says("/schemas/ids/7", (status, {"message": "busy"}))
    backoff, waits = patient()
    asked = len(registry.asked)
    with pytest.raises(Unreachable, match=rf"schema registry 127.*expected a schema; found {status} busy\."):
        Confluent(ConfluentRegistry(kind="confluent", url=registry.url), backoff).schema(7)
    assert 50 < sum(waits) <= 60
    assert len(registry.asked) - asked == len(waits) + 1


def test_a_registry_that_is_not_there_is_unreachable():
    settings = ConfluentRegistry(kind="confluent", url="http://127.0.0.1:9")
    with pytest.raises(Unreachable, match=r"Check registry\.url, the server and the network"):
        Confluent(settings, Backoff(give_up=0)).schema(1)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {"error_code": 401, "message": "Unauthorized"}, "found 401 Unauthorized. Check registry.username"),
        (403, b"", "found 403. Check registry.username and registry.password, or registry.token"),
        (404, b"<html>no such page</html>", "expected Confluent's REST API; found 404. Check registry.url"),
        (404, {"error_code": 404, "message": "HTTP 404 Not Found"}, "found 404 HTTP 404 Not Found. Check registry.url"),
        (302, b"", "found 302. Check registry.url"),
        (200, b"<html>log in</html>", "200 with an answer that is no JSON"),
        (200, {"hello": 1}, "an answer without a schema"),
        (400, {"message": "no"}, "found 400 no."),
    ],
)
def test_what_no_second_try_helps_against_is_fatal_at_once(status, body, said, registry):
    registry.says("/schemas/ids/7", (status, body))
    with pytest.raises(Fatal) as raised:
        client(registry).schema(7)
    assert said in str(raised.value)
    assert len(registry.asked) == 1


@pytest.mark.parametrize(
    ("login", "sent"),
    [
        ({}, None),
        ({"username": "a", "password": "hunter2"}, f"Basic {base64.b64encode(b'a:hunter2').decode()}"),
        ({"token": "hunter2"}, "Bearer hunter2"),
    ],
)
def test_the_login_is_sent_and_never_shown(login, sent, registry):
    registry.says("/schemas/types", (200, ["JSON", "AVRO"]), (401, {"message": "no"}))
    made = client(registry, **login)
    assert made.tried() == "AVRO, JSON"
    assert {name.lower(): value for name, value in registry.asked[0][1].items()}.get("authorization") == sent
    with pytest.raises(Fatal) as raised:
        made.tried()
    assert "hunter2" not in f"{raised.value!r}{raised.value}"


def test_a_certificate_of_ones_own_authority_is_trusted_where_it_is_named():
    with serving(tls=True) as registry:
        registry.says("/schemas/types", (200, ["AVRO"]))
        assert client(registry, ca_file=str(TLS / "server.pem")).tried() == "AVRO"
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            client(registry).tried()
    with pytest.raises(ConfigError, match=r"registry\.ca_file: expected a file with certificates"):
        client(registry, ca_file="/no/such/file")


def glue(*answers: tuple[str, Any]) -> tuple[Glue, list[float]]:
    """A Glue client that answers in this order: (error code, HTTP status) or ("", the answer)."""
    aws = boto3.client("glue", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    stub = Stubber(aws)
    for code, answer in answers:
        if code:
            stub.add_client_error("get_schema_version", code, "said so", http_status_code=answer)
        else:
            stub.add_response("get_schema_version", answer, {"SchemaVersionId": str(GUID)})
    stub.activate()
    backoff, waits = patient()
    return Glue(GlueRegistry(kind="glue", region="eu-west-1"), backoff, aws), waits


FOUND = ("", {"SchemaDefinition": '"int"', "DataFormat": "AVRO"})


def test_glue_gives_a_schema_version_and_none_where_there_is_none():
    asked, _ = glue(FOUND, ("EntityNotFoundException", 400))
    assert asked.schema(GUID) == WriterSchema('"int"')
    assert asked.schema(GUID) is None


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("InternalServiceException", 500), ("Whatever", 503)]
)
def test_glue_is_asked_again_where_it_throttles_or_fails(code, status):
    asked, waits = glue((code, status), (code, status), FOUND)
    assert asked.schema(GUID) == WriterSchema('"int"')
    assert waits == [0.1, 0.2]
    asked, waits = glue(*[(code, status)] * 40)
    with pytest.raises(Unreachable, match=rf"schema registry glue.*found {code}: said so"):
        asked.schema(GUID)
    assert sum(waits) <= 60


@pytest.mark.parametrize(
    ("code", "todo"),
    [
        ("AccessDeniedException", "Allow glue:GetSchemaVersion on the schema and its registry in the role's policy."),
        ("AccessDenied", "Allow sts:AssumeRole on registry.role_arn"),
        ("InvalidInputException", "Check `registry` of the source"),
    ],
)
def test_glue_that_refuses_is_fatal_with_what_to_do(code, todo):
    asked, waits = glue((code, 400))
    with pytest.raises(Fatal) as raised:
        asked.schema(GUID)
    assert todo in str(raised.value)
    assert not waits


def test_a_source_hands_its_registry_to_workers_with_the_secret():
    settings = {
        "from": "kafka", "servers": "-", "topics": ["t"], "format": "debezium",
        "registry": {"kind": "confluent", "url": "http://127.0.0.1:9", "token": "hunter2"},
    }  # fmt: skip
    source = KafkaSource.model_validate(settings)
    opened: Callable[[], Any] = pickle.loads(pickle.dumps(schema_registry.client_of(source)))
    assert opened() is opened(), "one client for a process"
    assert schema_registry.client_of(source.model_copy(update={"registry": None})) is None


@pytest.mark.parametrize(("kind", "error"), [("Unreachable", Unreachable), ("Fatal", FromWorker)])
def test_what_a_worker_raised_is_told_in_its_own_words(kind, error):
    said = "schema registry r:8081: expected a schema; found 503. Look at the registry's log, or at its limits."
    trace = RuntimeError(f"Job aborted\n  File x\nheadrace.errors.{kind}: {said}\n\n\tat org.apache.spark")
    told = schema_registry.explained(trace, "shop")
    assert isinstance(told, error) and isinstance(told, Retryable) == (kind == "Unreachable")
    assert said in str(told)
    other = RuntimeError("headrace.errors.Fatal: stream x: expected a; found b. c")
    assert schema_registry.explained(other, "shop") is other
