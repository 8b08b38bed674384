import json
from datetime import UTC, datetime

from headrace.pipelines.requests import ReplayRequest, list_open, mark_done, outcome_of, write
from headrace.stores.files import LakeFiles


def test_a_request_is_open_until_it_is_marked_done(tmp_path):
    files = LakeFiles(str(tmp_path))
    since = datetime(2026, 3, 1, tzinfo=UTC)
    first = write(files, ReplayRequest("rejects", reason="null key", table="users"))
    second = write(files, ReplayRequest("log", since=since))
    assert list_open(files, "apply_changes") == [first, second]
    assert outcome_of(files, first) is None
    mark_done(files, first, {"messages": 3})
    assert list_open(files, "apply_changes") == [second]
    assert outcome_of(files, first)["messages"] == 3


def test_requests_of_another_job_are_left_alone(tmp_path):
    files = LakeFiles(str(tmp_path))
    other = write(files, ReplayRequest("log", job="build_profiles"))
    assert list_open(files, "apply_changes") == []
    assert list_open(files, "build_profiles") == [other]


def test_marking_done_twice_keeps_the_first_outcome(tmp_path):
    files = LakeFiles(str(tmp_path))
    request = write(files, ReplayRequest("log"))
    mark_done(files, request, {"messages": 1})
    mark_done(files, request, {"messages": 2})
    assert outcome_of(files, request)["messages"] == 1


def test_a_file_that_is_no_request_is_recorded_as_refused_and_does_not_block(tmp_path):
    files = LakeFiles(str(tmp_path))
    for name, text in (
        ("a.json", "{}"),
        ("b.json", "no json"),
        ("c.json", json.dumps({"kind": "erase", "from": "log"})),
    ):
        files.write_text(f"requests/{name}", text)
    good = write(files, ReplayRequest("log"))
    assert list_open(files, "apply_changes", refuse=False) == [good]
    assert files.names("requests/done") == []
    assert list_open(files, "apply_changes") == [good]
    assert files.names("requests/done") == ["a.json", "b.json", "c.json"]
    assert "expected a replay request" in files.read_text("requests/done/b.json")
