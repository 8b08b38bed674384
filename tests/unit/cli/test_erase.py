"""`headrace erase`: whom it finds, what it writes, what it reports. Without Spark."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest

from headrace.cli import main
from headrace.config_file import load
from headrace.config_publish import SqliteMeasures
from headrace.erasure import Erasure, Hashing, suppressed
from headrace.errors import ConfigError
from headrace.identifiers.normalise import normaliser
from headrace.pipelines import erasing
from headrace.pipelines.alerting import rows_of_lake
from headrace.pipelines.erasing import FOLDER, Erasures
from headrace.pipelines.publish_measures import MeasurePublisher
from headrace.stores.files import LakeFiles
from headrace.stores.measures_sqlite import SqliteMeasureStore
from unit.conversations.measure_tables import a_row, write

SETTINGS = """
lake: {lake}
sources:
  shop: {{from: files, path: {root}/in, format: json, position: [n]}}
  chats: {{from: files, path: {root}/chats, format: json, position: [revision, at]}}
tables:
  customers: {{source: shop, source_table: customers, key: [id]}}
feedback: {{sources: [chats]}}
profiles:
  records: {{customer: {{table: customers, identifiers: {{email: email}}}}}}
  stores: {{local: {{store: sqlite, path: {root}/profiles.db}}}}
  hash_key: {{secret: "env:HASH_KEY"}}
datasets:
  key: {{secret: "env:TRAINING_KEY"}}
  sets: {{support: {{kind: sft, formats: [trl_sft]}}}}
"""
PERSON, EARLIER, MAIL = "01AAAAAAAAAAAAAAAAAAAAAAAA", "01BBBBBBBBBBBBBBBBBBBBBBBB", "ada@example.org"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HASH_KEY", "a key for tests only")
    monkeypatch.setenv("TRAINING_KEY", "another key for tests only")
    file = tmp_path / "headrace.yaml"
    file.write_text(SETTINGS.format(lake=tmp_path / "lake", root=tmp_path))
    config = load(str(file))
    assert config.profiles
    made = normaliser(config.profiles)
    known = {"kind": "email", "hash": made.hashed("email", made.plain("email", MAIL))}
    record = {"record": "customer", "key": '["4711"]', "own": PERSON, "person": PERSON, "deleted": False, "batch": 1}
    put(tmp_path, "people", [{**record, "identifiers": [known]}])
    put(tmp_path, "identifiers", [{**known, "record": "customer", "key": '["4711"]', "batch": 1}])
    put(tmp_path, "aliases", [{"person": EARLIER, "now": PERSON, "batch": 1}])
    people = [PERSON, EARLIER, "another", None]
    put(tmp_path, "turns", [{"conversation": f"c{one}", "turn": 1, "person": one} for one in people])
    put(tmp_path, "ratings", [{"rating_id": "r", "rater": PERSON}])
    return file


def put(root: Path, table: str, rows: list[dict[str, Any]]) -> None:
    (root / "lake").mkdir(exist_ok=True)
    deltalake.write_deltalake(str(root / "lake" / table), pa.Table.from_pylist(rows), mode="append")


def erase(capsys: pytest.CaptureFixture[str], settings: Path, *more: str, code: int = 0) -> Any:
    assert main(["erase", *more, "--json", "--config", str(settings)]) == code
    out = capsys.readouterr().out
    return json.loads(out) if out else None


def test_an_identifier_leads_to_all_that_is_known_and_nothing_is_asked_in_a_dry_run(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = erase(capsys, settings, " Ada@Example.org", "--dry-run")
    assert (found["request"], found["people"], found["records"]) == (
        None,
        [PERSON, EARLIER],
        [["customer", '["4711"]']],
    )
    assert found["rows"] == {"turns": 2, "ratings": 1, "datasets/rows": 0, "people": 1}
    assert found["jobs"] == ["apply_changes", "build_profiles", "track_feedback", "curate_dataset"]
    assert erase(capsys, settings, EARLIER, "--dry-run", "--training-only")["jobs"] == ["curate_dataset"]
    for empty in (["", "--id"], [" ", "--id"], [""]):
        assert main(["erase", *empty, "--config", str(settings)]) == 2
        assert "WHO: expected somebody; found an empty text" in capsys.readouterr().err
    assert not (settings.parent / "lake" / "requests").exists()


def test_a_request_tells_nobody_who_it_is_and_the_work_goes_when_all_are_done(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = erase(capsys, settings, MAIL)["request"].rpartition("/")[2]
    lake = settings.parent / "lake"
    text = (lake / FOLDER / name).read_text()
    assert not any(one in text for one in (PERSON, EARLIER, MAIL, "4711"))
    assert "4711" in (lake / FOLDER / "work" / name).read_text()
    [open_now] = erase(capsys, settings, MAIL, "--report", code=1)
    assert open_now["jobs"] == dict.fromkeys(["apply_changes", "build_profiles", "track_feedback", "curate_dataset"])
    assert open_now["not_able"] == ["apply_changes", "build_profiles"]
    config, files = load(str(settings)), LakeFiles(str(lake))
    for job in open_now["jobs"]:
        assert (lake / FOLDER / "work" / name).exists()
        mine = Erasures(files, job, config)
        mine.refresh()
        [request] = mine.open()
        mine.keep_plan(request, {"conversations": [f"c{PERSON}"]})
        assert mine.plan(request) == {"conversations": [f"c{PERSON}"]}
        mine.done(request, {"rows": 1})
        mine.refresh()
        assert mine.open() == []
    assert not any(PERSON in file.read_text() for file in (lake / "requests").rglob("*.json"))
    for who in (PERSON, EARLIER, MAIL, "ADA@example.org"):
        [told] = erase(capsys, settings, who, "--report")
        assert all(told["jobs"].values())
    assert erase(capsys, settings, "another", "--report", code=1) is None


def test_a_report_tells_what_is_gone_and_what_is_left_until_when(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = erase(capsys, settings, MAIL)["request"].rpartition("/")[2]
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    told = {"request": name, "detail": None, "at": at}
    steps = [("turns", "deleted", 2), ("turns", "purged", 0), ("ratings", "deleted", 1), ("ratings", "purged", 0),
             ("rejects/track_feedback", "deleted", 3), ("store conversations", "deleted", 4)]  # fmt: skip
    rows = [{**told, "place": place, "step": step, "rows": rows} for place, step, rows in steps]
    put(settings.parent, "erasures/track_feedback", [*rows, {**rows[0], "request": "another", "rows": 99}])
    kept = timedelta(days=7)
    for table, vacuumed in (("turns", at + kept), ("ratings", at + kept - timedelta(seconds=1))):
        place = deltalake.DeltaTable(str(settings.parent / "lake" / table))
        place.alter.set_table_properties({"headrace.vacuumed_at": vacuumed.isoformat()}, raise_if_not_exists=False)
    [found] = erase(capsys, settings, MAIL, "--report", code=1)
    places = {one["place"]: (one["rows"], one["gone"], one["gone_by"]) for one in found["places"]}
    assert places == {
        "turns": (2, True, "2026-11-09T12:00:00+00:00"), "ratings": (1, False, "2026-11-09T12:00:00+00:00"),
        "rejects/track_feedback": (3, False, None), "store conversations": (4, True, None),
    }  # fmt: skip
    assert "ratings: old files, until the first VACUUM after 2026-11-08" in found["left"]
    assert "statistics in Delta's logs, until 2026-12-01" in found["left"]
    assert main(["erase", MAIL, "--report", "--config", str(settings)]) == 1
    text = capsys.readouterr().out
    assert "apply_changes" in text and "cannot yet" in text and "4711" not in text


def test_a_report_tells_which_published_measures_still_count_the_person(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = f"feedback: {{sources: [chats], publish: {{board: {{store: sqlite, path: {settings.parent}/m.db}}}}}}"
    settings.write_text(settings.read_text().replace("feedback: {sources: [chats]}", board))
    lake, config = settings.parent / "lake", load(str(settings))
    write(lake, [a_row("turns", datetime(2026, 11, 1, tzinfo=UTC), 2, 1)])
    erase(capsys, settings, MAIL)
    mine = Erasures(LakeFiles(str(lake)), "track_feedback", config)
    mine.refresh()

    def told() -> list[str]:
        [found] = erase(capsys, settings, MAIL, "--report", code=1)
        return [one for one in found["left"] if one.startswith("measures published to board still count the person")]

    assert told() == []  # the job has not counted again yet, which is told
    deltalake.DeltaTable(str(lake / "measures")).delete("measure = 'turns'")
    request = mine.open()[0]
    mine.done(request, {})
    assert len(told()) == 1
    outcome = lake / FOLDER / "track_feedback" / "done" / request.name
    kept = outcome.read_text()
    outcome.write_text(json.dumps({"done_at": "2020-01-01T00:00:00+00:00"}))
    assert told() == []  # what was counted for others since does not concern the person
    outcome.write_text(kept)
    store = SqliteMeasureStore(SqliteMeasures(store="sqlite", path=f"{settings.parent}/m.db"))
    MeasurePublisher("board", store, rows_of_lake(str(lake)), LakeFiles(str(lake))).publish()
    assert told() == []
    store.close()


def test_who_is_suppressed(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    erase(capsys, settings, PERSON)
    erase(capsys, settings, "not seen yet", "--id")
    erase(capsys, settings, "another", "--training-only")
    mine = Erasures(LakeFiles(str(settings.parent / "lake")), "track_feedback", load(str(settings)))
    mine.refresh()
    (settings.parent / "lake" / FOLDER / "20260101-none.json").write_text("{}")
    mine.refresh()
    found, training = mine.suppressed(), mine.suppressed(training=True)
    assert found and training
    people = (PERSON, EARLIER, "not seen yet", "another", "c", None)
    assert [found.person(one) for one in people] == [True, True, True, False, False, False]
    assert training.person("another") and training.person(PERSON) and not training.person("c")


def test_nobody_and_several_are_refused(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = deltalake.DeltaTable(str(settings.parent / "lake" / "people"))
    twin = {**pa.table(people.to_pyarrow_table()).to_pylist()[0], "key": '["8"]', "person": "01CCC"}
    known = {**twin["identifiers"][0], "record": "customer", "key": '["8"]', "batch": 1}
    put(settings.parent, "people", [twin])
    put(settings.parent, "identifiers", [known])
    assert main(["erase", MAIL, "--config", str(settings)]) == 1
    assert f"Erase one of {PERSON}, 01CCC" in capsys.readouterr().err
    assert main(["erase", "nobody", "--config", str(settings)]) == 1
    assert "With --id it is taken for an id" in capsys.readouterr().err
    assert not (settings.parent / "lake" / "requests").exists()


def test_another_key_stops_rather_than_let_everybody_through() -> None:
    mine = Hashing(b"one key")
    request = Erasure("all", "", mine.check(), (mine.of("person", "ada"), mine.of("conversation", "c")))
    found = suppressed(mine, [request], training=False)
    assert found.person("ada") and found.conversation("c", 3) and not found.conversation("ada")
    assert not suppressed(mine, [], training=False)
    with pytest.raises(ConfigError, match="the key its hashes were made with"):
        suppressed(Hashing(b"another key"), [request], training=False)


def test_a_request_reads_as_it_was_written() -> None:
    made = erasing.made(
        Hashing(b"k"),
        "training",
        ["x"],
        erasing.Work(("a",), (("r", "[1]"),)),
        ["t"],
        [("email", "h")],
        ["curate_dataset"],
    )
    assert len(made.hashes) == 3
    assert Erasure.from_json("", json.loads(json.dumps(made.to_json()))) == made
    with pytest.raises(ValueError, match="kind 'replay'"):
        Erasure.from_json("", {**made.to_json(), "kind": "replay"})


@pytest.mark.parametrize("key", ["", ", hash_key: {secret: env:HASH_KEY}"])
def test_with_feedback_alone_its_own_key_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    monkeypatch.setenv("HASH_KEY", "a key for tests only")
    (tmp_path / "headrace.yaml").write_text(
        f"lake: {tmp_path}/lake\nsources: {{events: {{from: files, path: ./events, format: json, position: [at]}}}}\n"
        f"feedback: {{sources: [events]{key}}}\n"
    )
    code = main(["erase", "ada", "--id", "--config", str(tmp_path / "headrace.yaml")])
    assert (code, "feedback.hash_key" in capsys.readouterr().err) == ((0, False) if key else (2, True))
