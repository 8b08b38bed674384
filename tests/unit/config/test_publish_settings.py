"""Settings of stores for measures and of their metrics, in a file."""

from datetime import timedelta
from pathlib import Path

import pytest

from headrace.config_file import load
from headrace.config_publish import OpenSearchMeasures, SqliteMeasures
from headrace.errors import ConfigError

BASE = """\
lake: ./lake
sources: {events: {from: files, path: ./events, format: json, position: [at]}}
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "headrace.yaml"
    file.write_text(BASE + text, encoding="utf-8")
    return file


def test_stores_load_with_their_secret_and_a_path_from_the_folder_of_the_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir("/")
    search = '{store: opensearch, hosts: "https://h:9200", auth: basic, user: u, password: {secret: env:PW}}'
    text = f"feedback: {{sources: [events], publish: {{board: {{store: sqlite, path: ./m.db}}, search: {search}}}}}\n"
    feedback = load(written(tmp_path, text), {"PW": "not to be printed"}).feedback
    assert feedback is not None and "not to be printed" not in repr(feedback)
    board, found = feedback.publish["board"], feedback.publish["search"]
    assert isinstance(board, SqliteMeasures) and board.path == str(tmp_path / "m.db")
    assert isinstance(found, OpenSearchMeasures)
    index = found.as_index()
    assert (index.hosts, index.index, index.user) == (("https://h:9200",), "headrace-measures", "u")
    assert (index.refresh, index.serverless, index.rows_per_write) == (timedelta(seconds=5), False, 500)


def test_nothing_is_published_or_reported_unless_the_settings_say_so(tmp_path: Path) -> None:
    config = load(written(tmp_path, "feedback: {sources: [events]}\n"))
    assert config.feedback is not None
    assert (config.feedback.publish, config.metrics.measures) == ({}, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("feedback: {sources: [events], publish: {a: {store: pgvector}}}\n", "one of sqlite, opensearch"),
        ("feedback: {sources: [events], publish: {a: {store: sqlite, path: 's3://b/m.db'}}}\n", "a URL"),
        ("feedback: {sources: [events], publish: {a: {store: opensearch}}}\n", "hosts"),
        (
            "feedback: {sources: [events], publish: {a: {store: opensearch, hosts: x, auth: basic}}}\n",
            "user and password",
        ),
        ("feedback: {sources: [events]}\nmetrics: {measures: errors, window: 90s}\n", "whole minutes"),
    ],
)
def test_what_cannot_work_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path, text))
