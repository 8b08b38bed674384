"""What Terraform made is run: script, wheel and settings from the emulated bucket, with the arguments of the job there.

Records come from an emulated Kinesis, tables are Delta in the emulated S3, profiles and served rows go into the
emulated DynamoDB, passages into another emulated stream, alerts to an emulated topic.
Bedrock's answers are made up. What each job asked is held against its role.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.config_file import load
from headrace.conversations.events import Rating, Turn
from headrace.errors import NotThere
from headrace.pipelines import served_lookups
from headrace.pipelines.people_lookup import person
from headrace.stores.delta_reader import DeltaReader
from headrace.stores.dynamodb_table import CLAIM_KEY
from terraform.calls import allowed, idle
from terraform.deployed import NAME, RUN, Deployed, deployment

PLACES = "Berlin Madrid Oslo Porto Rome Vienna Zurich Athens Dublin Tallinn".split()
THINGS = "two cats,a wooden cello,skis and poles,a wedding dress,one drone,crutches,a folding bicycle,a pram".split(",")
HELPFUL = len(PLACES) * len(THINGS)
DOCUMENTS = {
    "policies/cancel.md": "# Cancelling\n\nA booking can be cancelled until the day before.",
    "policies/pets.md": "# Pets\n\nA dog travels in the cabin.",
    "elsewhere/x.md": "# Not below the feed's folder",
}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployment(tmp_path_factory.mktemp("smoke")) as applied:
        yield applied


def change(table: str, row: dict[str, Any], second: int, operation: str = "update") -> tuple[str, bytes]:
    record = {
        "data": row,
        "metadata": {
            "commit-timestamp": f"2026-01-02T03:04:{second:02}.000000Z", "record-type": "data", "operation": operation,
            "partition-key-type": "schema-table", "schema-name": "public", "table-name": table,
            "transaction-id": second, "transaction-record-id": 1,
        },
    }  # fmt: skip
    return str(next(iter(row.values()))), json.dumps(record).encode()


def booking(number: int, status: str, second: int, operation: str = "update") -> tuple[str, bytes]:
    row = {"booking_id": number, "status": status, "price": 9.5, "customer_id": 1}
    return change("bookings", row, second, operation)


def customer(number: int, email: str, second: int, first: str = "Ada", operation: str = "update") -> tuple[str, bytes]:
    row = {"customer_id": number, "email": email, "first_name": first, "last_name": "Berg", "born": "1980-02-03"}
    return change("customers", row, second, operation)


def helpful(number: int, at: datetime) -> Turn:
    """An answer that may be learned from, of a conversation about something of its own."""
    place, thing = PLACES[number % len(PLACES)], THINGS[number // len(PLACES)]
    question, answer = f"May {thing} come along to {place}?", f"Yes, {thing} may come along on every flight to {place}."
    said = Turn(f"h{number}", 1, at, question=question, answer=answer, outcome="answered", model="m", language="en")
    return replace(said, purposes=("training",))


def created(bucket: str, key: str) -> tuple[str, bytes]:
    thing = {"key": key, "size": 9, "etag": "0" * 32, "sequencer": "0055AED6DCD90281"}
    event = {
        "detail-type": "Object Created", "source": "aws.s3", "time": "2026-01-02T03:04:05Z",
        "detail": {"bucket": {"name": bucket}, "object": thing, "reason": "PutObject"},
    }  # fmt: skip
    return key, json.dumps(event).encode()


def test_apply_changes_turns_a_stream_into_right_tables(deployed: Deployed, tmp_path: Path) -> None:
    late = [booking(1, "PAID", 20), booking(1, "NEW", 10), booking(2, "NEW", 11), booking(3, "NEW", 12)]
    hotel = change("hotels", {"hotel_id": 7, "name": "Harbour", "description": "Rooms above the old harbour."}, 13)
    others = [
        customer(1, "ada@example.com", 14),
        customer(2, "ada@example.com", 15),
        customer(3, "b@example.com", 16, "Bo"),
    ]
    deployed.kinesis.put(
        f"{NAME}-changes", [*late, booking(2, "NEW", 30, "delete"), booking(2, "LATE", 15), late[0], hotel, *others]
    )
    code, log = deployed.run("apply_changes", tmp_path, "--JOB_RUN_ID", "jr_1", "--once", "true")
    assert code == 0, log[-5000:]
    assert '"run": "jr_1"' in log and str(deployed.installed) not in log

    lake = deployed.settings("apply_changes")["lake"]
    rows = DeltaReader(lake).query("tables/bookings", "SELECT booking_id, status FROM rows")
    assert {row["booking_id"]: row["status"] for row in rows} == {1: "PAID", 3: "NEW"}
    beats = json.loads(deployed.bytes_of(f"{lake}/heartbeats/apply_changes.json"))
    assert beats["shop"]["run"] == "jr_1"


def test_apply_changes_serves_rows_from_the_table_of_terraform(deployed: Deployed) -> None:
    config = load(deployed.arguments("apply_changes")["--config"])
    asked = served_lookups.lookups(config)
    assert asked is not None
    with closing(asked):
        found = asked.lookup("hotels", {"name": "harbour"})
    assert [row.values["hotel_id"] for row in found.rows] == [7], found


def test_build_profiles_publishes_people_into_the_table_of_terraform(deployed: Deployed, tmp_path: Path) -> None:
    code, log = deployed.run("build_profiles", tmp_path, "--JOB_RUN_ID", "jr_4", "--once", "true")
    assert code == 0, log[-5000:]
    config = load(deployed.arguments("build_profiles")["--config"])
    ada = person(config, "ada@example.com")
    assert [record["key"] for record in ada.document["records"]] == ['["1"]', '["2"]']
    assert {row["values"]["booking_id"] for row in ada.document["related"]["bookings"]["rows"]} == {1, 3}
    bo = person(config, "b@example.com").person

    deployed.kinesis.put(
        f"{NAME}-changes", [customer(2, "c@example.com", 40, "Cy"), customer(3, "b@example.com", 41, "Bo", "delete")]
    )
    # Without the claim nobody can say what the table holds: it is filled again, and what is older is swept away.
    deployed.client("dynamodb").delete_item(TableName=f"{NAME}-profiles", Key=CLAIM_KEY)
    for job, run in (("apply_changes", "jr_5"), ("build_profiles", "jr_6")):
        (tmp_path / run).mkdir()
        code, log = deployed.run(job, tmp_path / run, "--JOB_RUN_ID", run, "--once", "true")
        assert code == 0, log[-5000:]
    assert person(config, "ada@example.com").person == ada.person
    assert person(config, "c@example.com").person != ada.person
    with pytest.raises(NotThere):
        person(config, bo)


def test_index_knowledge_turns_objects_and_rows_into_passages(deployed: Deployed, tmp_path: Path) -> None:
    feeds = deployed.settings("index_knowledge")["knowledge"]["documents"]
    bucket = feeds["policies"]["path"].removeprefix("s3://").partition("/")[0]
    for key, text in DOCUMENTS.items():
        deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
    deployed.kinesis.put(f"{NAME}-documents", [created(bucket, key) for key in DOCUMENTS])
    code, log = deployed.run("index_knowledge", tmp_path, "--JOB_RUN_ID", "jr_2", "--once", "true")
    assert code == 0, log[-5000:]
    sent = [json.loads(one) for one in records(deployed, f"{NAME}-embeddings")]
    # A stream is told at least once: an answer that came too late is asked for again.
    assert {one["document"] for one in sent} == {"7", "cancel.md", "pets.md"}, (sent, log[-5000:])


def test_track_feedback_counts_events_and_tells_the_topic_of_terraform(deployed: Deployed, tmp_path: Path) -> None:
    # Within the hour that the rule looks at, and over for longer than it waits.
    at = datetime.now(UTC) - timedelta(minutes=10)
    failed = [Turn(f"c{number}", 1, at, question="q", answer="", outcome="failed", model="m") for number in range(40)]
    rated = [Rating("c1", 1, at, "person", "thumbs", -1), Rating("c2", 1, at, "person", "thumbs", 1)]
    good = [helpful(number, at) for number in range(HELPFUL)]
    liked = [Rating(one.conversation, 1, at, "person", "thumbs", 1) for one in good]
    back = replace(rated[1], value=None, revision=1, withdrawn=True)
    told = (*failed, *rated, back, failed[0], *good, *liked)
    events = [one.to_json() for one in told] + [{"schema": 1, "event": "no such"}]
    deployed.kinesis.put(f"{NAME}-events", [(one.get("conversation", "-"), json.dumps(one).encode()) for one in events])
    code, log = deployed.run("track_feedback", tmp_path, "--JOB_RUN_ID", "jr_7", "--once", "true")
    assert code == 0, log[-5000:]
    lake = DeltaReader(deployed.settings("track_feedback")["lake"])
    sql = "SELECT measure, SUM(numerator) AS some, SUM(denominator) AS of FROM rows GROUP BY measure"
    found = {row["measure"]: (row["some"], row["of"]) for row in lake.query("measures", sql)}
    assert (found["errors"], found["thumbs_up"]) == ((40.0, 40.0 + HELPFUL), (HELPFUL, HELPFUL + 1)), found
    assert len(lake.query("rejects/track_feedback", "SELECT reason FROM rows")) == 1
    alert = json.loads(deployed.bytes_of(f"{lake.root}/alerts/failing.json"))
    assert (len(alert["recent"]), alert["open"]) == (1, []), log[-5000:]


def test_curate_dataset_writes_a_version_into_the_lake_of_terraform(deployed: Deployed, tmp_path: Path) -> None:
    assert deployed.arguments("curate_dataset")["--once"] == "true"
    code, log = deployed.run("curate_dataset", tmp_path, "--JOB_RUN_ID", "jr_8")
    assert code == 0, log[-5000:]
    lake = DeltaReader(deployed.settings("curate_dataset")["lake"])
    (made,) = lake.query("datasets/versions", "SELECT dataset, version, kind FROM rows")
    manifest = f"{lake.root}/datasets/exports/support/{made['version']}.jumpstart_chat/manifest.json"
    rows = {split: told["rows"] for split, told in json.loads(deployed.bytes_of(manifest))["splits"].items()}
    refused = [one["reason"] for one in lake.query("datasets/refused", "SELECT reason FROM rows")]
    assert set(rows) == {"train", "validation", "test"} and sum(rows.values()) > HELPFUL * 0.9, (rows, refused)
    assert sum(rows.values()) + refused.count("near_duplicate_of") == HELPFUL


def records(deployed: Deployed, stream: str) -> list[bytes]:
    client = deployed.client("kinesis")
    found: list[bytes] = []
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        place = {"StreamName": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator, behind = client.get_shard_iterator(**place)["ShardIterator"], 1
        while behind:
            page = client.get_records(ShardIterator=iterator)
            iterator, behind = page["NextShardIterator"], page["MillisBehindLatest"]
            found += [one["Data"] for one in page["Records"]]
    return found


@pytest.mark.parametrize("job", RUN)
def test_the_role_of_a_job_allows_every_call_it_made_and_nothing_more(deployed: Deployed, job: str) -> None:
    policy = deployed.client("iam").get_role_policy(RoleName=f"headrace-{NAME}-{job}", PolicyName="job")
    document, calls = policy["PolicyDocument"], deployed.calls[job]
    print(f"{job} asked for {', '.join(sorted({call.action for call in calls}))}")
    assert sorted(call for call in calls if not allowed(call, document)) == []
    unused = sorted((sid, action) for sid, action in idle(calls, document) if action not in UNUSED)
    assert unused == [], "take it out of roles.tf, or name it in UNUSED with the reason"
    assert UNUSED.keys() - {action for _, action in idle(calls, document)} == set(), "it is used, or not granted"


@pytest.mark.parametrize("job", RUN)
def test_the_dashboard_shows_measures_that_the_job_sent(deployed: Deployed, job: str) -> None:
    cloudwatch = deployed.client("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName=f"headrace-{NAME}")["DashboardBody"])
    metrics = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
    shown = {(name, *more[1::2]) for namespace, name, *more in metrics if namespace == "Headrace" and job in more}
    listed = cloudwatch.list_metrics(Namespace="Headrace")["Metrics"]
    told = [(one["MetricName"], {each["Name"]: each["Value"] for each in one["Dimensions"]}) for one in listed]
    sent = {(name, of["Name"], of["Job"], of["Source"]) for name, of in told}
    assert shown
    assert shown - sent == set()


UNUSED = {
    "kms:Decrypt": "S3 asks for it on the job's behalf", "kms:DescribeKey": "the same", "kms:Encrypt": "the same",
    "kms:GenerateDataKey": "the same",
    "logs:AssociateKmsKey": "Glue itself writes the log", "logs:CreateLogGroup": "the same",
    "logs:CreateLogStream": "the same", "logs:PutLogEvents": "the same",
    "glue:GetDatabase": "Spark on Glue looks into the catalog", "glue:GetDatabases": "the same",
    "glue:GetTable": "the same", "glue:GetTables": "the same",
    "s3:AbortMultipartUpload": "files of many MB are written in parts", "s3:ListMultipartUploadParts": "the same",
    "s3:ListBucketMultipartUploads": "the same", "s3:GetBucketLocation": "clients of other regions ask",
}  # fmt: skip
"""What a role allows and no job asked for, with the reason."""


def test_a_stop_file_where_terraform_says_keeps_the_job_from_running(deployed: Deployed, tmp_path: Path) -> None:
    given = deployed.arguments("apply_changes")
    bucket, _, key = given["--stop"].removeprefix("s3://").partition("/")
    deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    code, log = deployed.run("apply_changes", tmp_path, "--JOB_RUN_ID", "jr_3", seconds=300)
    assert code == 0
    assert "nothing is run until it is removed" in log
