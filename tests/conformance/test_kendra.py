"""Kendra, against botocore's stub only: what is sent, and what its answers are taken for."""

import boto3
import pytest
from botocore.stub import ANY, Stubber

from headrace.config_indexes import KendraIndex
from headrace.errors import Fatal, HeadraceError, Retryable
from headrace.ports import Throttled
from headrace.stores import kendra_index
from headrace.stores.kendra_index import KendraVectorIndex
from headrace.testing.passages import gone, put

ID = "a" * 36


@pytest.fixture
def stub(monkeypatch):
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client = boto3.client("kendra", region_name="eu-west-1", **keys)
    monkeypatch.setattr(kendra_index, "aws_client", lambda *_, **__: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def index(stub):
    stub.add_response("describe_index", {"Id": ID}, {"Id": ID})
    made = KendraVectorIndex(KendraIndex(store="kendra", index_id=ID), "g1")
    made.open("outbox")
    return made


def test_puts_and_deletes_are_sent_ten_at_a_time(index, stub):
    for _ in range(2):
        stub.add_response("batch_put_document", {"FailedDocuments": []}, {"IndexId": ID, "Documents": ANY})
    stub.add_response("batch_delete_document", {}, {"IndexId": ID, "DocumentIdList": ["gone"]})
    written = index.write([*(put(f"k{at}", 1) for at in range(12)), gone("gone", 2)])
    assert (written.applied, written.failed) == (13, ())


def test_groups_become_an_access_list_and_tenants_are_refused(index, stub):
    expected = {
        "Id": "a",
        "Title": "T",
        "Blob": b"words",
        "ContentType": "PLAIN_TEXT",
        "Attributes": ANY,
        "AccessControlList": [{"Name": "staff", "Type": "GROUP", "Access": "ALLOW"}],
    }
    stub.add_response("batch_put_document", {}, {"IndexId": ID, "Documents": [expected]})
    written = index.write([put("a", 1, "words", title="T", audience=["staff"]), put("b", 1, tenant="t")])
    assert (written.applied, [(one.key, one.retry) for one in written.failed]) == (1, [("b", False)])


def test_documents_kendra_refuses_are_reported(index, stub):
    refused = [
        {"Id": "a", "ErrorCode": "InternalError", "ErrorMessage": "later"},
        {"Id": "b", "ErrorCode": "InvalidRequest", "ErrorMessage": "never"},
    ]
    stub.add_response("batch_put_document", {"FailedDocuments": refused}, {"IndexId": ID, "Documents": ANY})
    written = index.write([put("a", 1), put("b", 1), put("c", 1)])
    assert (written.applied, {one.key: one.retry for one in written.failed}) == (1, {"a": True, "b": False})


def test_missing_rights_are_fatal(stub):
    stub.add_client_error("describe_index", "AccessDeniedException", "no", 400)
    with pytest.raises(Fatal, match="kendra index"):
        KendraVectorIndex(KendraIndex(store="kendra", index_id=ID), "g1").open("outbox")


def test_deletes_that_fail_are_reported_too(index, stub):
    refused = [{"Id": "a", "ErrorCode": "InternalError", "ErrorMessage": "later"}]
    stub.add_response(
        "batch_delete_document", {"FailedDocuments": refused}, {"IndexId": ID, "DocumentIdList": ["a", "b"]}
    )
    written = index.write([gone("a", 1), gone("b", 1)])
    assert (written.applied, [(one.key, one.retry) for one in written.failed]) == (1, [("a", True)])


def test_a_request_refused_whole_is_halved_until_the_row_at_fault_stands_alone(index, stub):
    asked = {"IndexId": ID, "Documents": ANY}
    for _ in ("a, b and c", "a"):
        stub.add_client_error("batch_put_document", "ValidationException", "too long", 400, expected_params=asked)
    stub.add_response("batch_put_document", {"FailedDocuments": []}, asked)  # b and c
    written = index.write([put("a", 1), put("b", 1), put("c", 1)])
    assert written.applied == 2 and [(one.key, one.retry) for one in written.failed] == [("a", False)]
    assert "too long" in written.failed[0].reason


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, Throttled),
        ("ServiceQuotaExceededException", 402, Throttled),
        ("ConflictException", 409, Retryable),
        ("InternalServerException", 500, Retryable),
        ("AccessDeniedException", 403, Fatal),
        ("ResourceNotFoundException", 404, Fatal),
    ],
)
def test_every_error_of_the_service_means_one_thing_to_us(index, stub, code, status, kind):
    stub.add_client_error("batch_put_document", code, "no", status)
    with pytest.raises(HeadraceError, match="expected an answer from Kendra") as raised:
        index.write([put("a", 1)])
    assert type(raised.value) is kind


def test_an_error_the_service_documents_is_none_we_do_not_know():
    client = boto3.client("kendra", region_name="eu-west-1")
    known = {"ThrottlingException", "ServiceQuotaExceededException", "ConflictException", "InternalServerException",
             "AccessDeniedException", "ResourceNotFoundException", "ValidationException"}  # fmt: skip
    for operation in ("BatchPutDocument", "BatchDeleteDocument"):
        shapes = client.meta.service_model.operation_model(operation).error_shapes
        assert {shape.name for shape in shapes} <= known
