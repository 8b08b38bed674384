"""`headrace status` of turns, ratings and measures, from real Delta tables, without Spark."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from headrace.cli import main
from headrace.config import Config
from headrace.erasure import Erasure
from headrace.pipelines import erasing, publish_progress
from headrace.pipelines.status import status
from headrace.stores.files import LakeFiles
from unit.conversations.measure_tables import STAMP, a_row, write

MINUTE = timedelta(minutes=1)


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    events = {"from": "files", "path": str(folder / "events"), "format": "json", "position": ["revision", "at"]}
    return {"lake": str(folder / "lake"), "sources": {"events": events}, "feedback": {"sources": ["events"]}} | more


def lake_of(folder: Path, now: datetime) -> Path:
    """Two turns, a rating, an event that was refused, and minutes in which many turns failed."""
    lake = folder / "lake"
    turns = [{"conversation": "c", "turn": n, "at": now - n * MINUTE} for n in (5, 7, -5_000_000)]  # years ahead
    write_deltalake(str(lake / "turns"), pa.Table.from_pylist(turns).cast(
        pa.schema([("conversation", pa.string()), ("turn", pa.int64()), ("at", STAMP)])))  # fmt: skip
    DeltaTable(str(lake / "turns")).alter.set_table_properties(
        {"headrace.settled_before": "2026-01-02T00:00+00:00"}, raise_if_not_exists=False
    )
    words = [("rating_id", pa.string()), ("at", STAMP), ("kind", pa.string()), ("felt_of", pa.string())]
    ratings = [("r", "comment", None), ("s", "correction", "hash"), ("t", "thumbs", None)]
    rows = [{"rating_id": one, "at": now - 4 * MINUTE, "kind": kind, "felt_of": of} for one, kind, of in ratings]
    write_deltalake(str(lake / "ratings"), pa.Table.from_pylist(rows, pa.schema(words)))
    reject = {"table": None, "reason": "wrong event", "rejected_at": now, "detail": "outcome: expected one of ..."}
    kinds = [("table", pa.string()), ("reason", pa.string()), ("rejected_at", STAMP), ("detail", pa.string())]
    write_deltalake(str(lake / "rejects/track_feedback"), pa.Table.from_pylist([reject], pa.schema(kinds)))
    whole = now.replace(second=0, microsecond=0)
    write(lake, [a_row("errors", whole - n * MINUTE, 9, 10) for n in (-5_000_000, *range(4, 14))])
    return lake


def test_it_tells_what_was_told_read_counted_and_refused_and_what_fires(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    lake = lake_of(tmp_path, now)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "0.json").write_text("{}\n")
    commits = lake / "checkpoints/track_feedback/events/commits"
    commits.mkdir(parents=True)
    (commits / "3").write_text("v1\n{}")
    request = Erasure("all", now.isoformat(), "key", ("hash",), jobs=("track_feedback", "build_profiles"))
    done, still = (erasing.write(LakeFiles(str(lake)), request, erasing.Work(("ada",))) for _ in range(2))
    erasing.Erasures(LakeFiles(str(lake)), "track_feedback", Config.model_validate(settings(tmp_path))).done(done, {})
    rule = {"rule": "threshold", "measure": "errors", "above": 0.1, "window": "10m"}
    rules = {"failing": rule, "calm": rule | {"above": 0.95}}
    file = tmp_path / "headrace.yaml"
    made = settings(tmp_path, alerts={"rules": rules})
    made["feedback"]["publish"] = {"board": {"store": "sqlite", "path": str(tmp_path / "measures.db")}}
    publish_progress.keep(LakeFiles(str(lake)), "board", publish_progress.Reached(why="no space"))
    file.write_text(json.dumps(made))

    found = status(Config.model_validate(json.loads(file.read_text())), now=now).feedback
    assert found is not None
    assert (found.turns, found.ratings, found.unscored) == (3, 3, 1)
    assert (found.newest_turn, found.newest_rating) == (now - 5 * MINUTE, now - 4 * MINUTE)
    newest = now.replace(second=0, microsecond=0) - 4 * MINUTE
    assert (found.newest_minute, found.counted_at) == (newest, newest)
    assert found.settled_before == datetime(2026, 1, 2, tzinfo=UTC)
    reader = found.sources["events"]
    assert (reader.batch, reader.lag.behind, reader.lag.unit) == (3, 1, "files")
    assert [(one["reason"], one["count"]) for one in found.rejects] == [("wrong event", 1)]
    assert {name: one.says for name, one in found.rules.items()} == {"failing": "fires", "calm": "calm"}
    assert found.rules["failing"].numbers["value"] == pytest.approx(0.9) and found.open_erasures == [still.name]

    assert main(["status", "--config", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["feedback"]
    assert (
        told["turns"] == 3
        and told["behind"]["board"]["why"] == "no space"
        and told["rules"]["failing"]["says"] == "fires"
    )
    assert main(["status", "--config", str(file)]) == 0
    text = capsys.readouterr().out
    for part in (
        "3 turns, newest",
        "Published measures: store board is behind since 20",
        ": no space",
        "3 ratings",
        "1 comments wait",
        "Alert failing fires: ",
        "1 files",
    ):
        assert part in text
    for part in ("Refused events: 1 (wrong event)", f"Open erasure: {still.name}", "ended before 2026-01-02"):
        assert part in text
    assert "Alert calm" not in text and done.name not in text and "No refused rows" not in text


def test_an_empty_lake_and_rules_that_cannot_be_judged_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "headrace.yaml"
    rule = {"rule": "threshold", "measure": "unheard_of", "above": 0.1, "window": "10m"}
    file.write_text(json.dumps(settings(tmp_path, alerts={"rules": {"failing": rule}})))
    assert main(["status", "--config", str(file)]) == 0
    text = capsys.readouterr().out
    assert "No turn was told yet" in text and "unheard_of" in text and "no folder" in text
