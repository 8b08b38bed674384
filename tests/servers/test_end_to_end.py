"""From an UPDATE in PostgreSQL to another answer of an assistant that knows no Spark, by every server in between.

`make soak` follows more of them; HEADRACE_SOAK_UPDATES says how many.
"""

import os
from collections.abc import Iterator
from statistics import median, quantiles

import pytest

from .kafka import Kafka
from .live import DOCUMENT, Deployment, NotFollowed, Seen, Update
from .opensearch import OpenSearch

UPDATES = int(os.environ.get("HEADRACE_SOAK_UPDATES", "100"))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, kafka: Kafka, opensearch: OpenSearch) -> Iterator[Deployment]:
    """Everything runs, and the flight is known."""
    made = Deployment(tmp_path_factory.mktemp("live"), kafka, opensearch)
    try:
        yield made.open()
    finally:
        made.close()


def check_position(deployment: Deployment, update: Update, seen: Seen) -> None:
    """The fact that was told is the work of this very UPDATE."""
    position = deployment.told(update)
    assert update.before <= position < update.after, "Debezium's event lies beside the UPDATE"
    assert seen.row["position"].split("-")[:2] == ["0000", f"{position:020}"]


def follow(deployment: Deployment, updates: int) -> list[float]:
    """Seconds from each UPDATE to the answer that tells of it; each is followed to its end before the next."""
    took = []
    for _ in range(updates):
        update = deployment.update()
        seconds, seen = deployment.follow(update)
        check_position(deployment, update, seen)
        assert (seen.row["source"], seen.row["key"]) == ("flights", '["400"]')
        assert 0 <= seen.row["age"] < seconds + 5
        assert update.status in seen.answer["text"] and "r1" in seen.answer["citations"]
        took.append(seconds)
    return took


def show(took: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """Seconds are shown and never judged: the machine is anybody's."""
    p95 = quantiles(took, n=20, method="inclusive")[-1]
    with capsys.disabled():
        print(f"\n{len(took)} UPDATEs until the answer tells: p50 {median(took):.1f} s, p95 {p95:.1f} s, "
              f"worst {max(took):.1f} s")  # fmt: skip


def test_each_update_reaches_the_answer_with_its_position_in_postgresqls_log(deployment, capsys):
    show(follow(deployment, 5), capsys)


@pytest.mark.soak
def test_many_updates_reach_the_answer_with_their_positions(deployment, capsys):
    show(follow(deployment, UPDATES), capsys)


def test_the_answer_cites_a_passage_that_opensearch_holds(deployment, opensearch):
    answer = deployment.until(lambda seen: True, "of the flight").answer
    cited = [item for item in answer["context"]["items"] if item["id"] in answer["citations"]]
    (passage,) = [item for item in cited if item["kind"] == "passage"]
    assert passage["source"] == "policies" and passage["text"] in DOCUMENT and passage["text"] in answer["text"]
    held = opensearch.call("GET", f"/{deployment.name}/_doc/{passage['key']}")["_source"]
    assert held["text"] == passage["text"]


def test_the_assistants_python_has_no_spark(deployment):
    done = deployment.assistant.run("run", "apply_changes", "--once")
    assert done.returncode != 0 and "pyspark" in done.stderr


def test_without_the_publisher_the_fact_stays_and_is_told_to_be_stale_until_it_is_back(deployment):
    known = deployment.update()
    deployment.follow(known)
    assert deployment.publisher.stop() == 0
    missed = deployment.update()
    deployment.told(missed)  # so all but the publisher have done their part
    seen = deployment.until(lambda seen: seen.row["stale"], "that the row is stale")
    with pytest.raises(NotFollowed):
        deployment.follow(missed, seconds=2)
    check_position(deployment, known, seen)
    assert f'status: "{known.status}" ' in seen.row["text"] and "(may be out of date)" in seen.answer["text"]
    deployment.publisher.start()
    _, seen = deployment.follow(missed)
    check_position(deployment, missed, seen)
    deployment.until(lambda seen: not seen.row["stale"], "that the row is as the source has it")
