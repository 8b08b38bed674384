"""The bundle for AWS Glue in a Python 3.13 with what Glue brings: installed without an index, each job run from it.

Run by `make package-test`, after `make package`.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from glue_like import ROOT, start
from headrace.conversations.events import Rating, Turn
from headrace.stores.delta_reader import DeltaReader

SHIPPED = ROOT / "scripts" / "glue_6_0.txt"
IMPORT_ALL = """
import importlib, pkgutil, sys
import headrace
names = [one.name for one in pkgutil.walk_packages(headrace.__path__, "headrace.")]
for name in names:
    # The page is not served from Glue.
    if not name.startswith(("headrace.testing", "headrace.travel", "headrace.web")) and not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names), headrace.__file__)
"""
APPLY = """
lake: {lake}
sources: {{feed: {{from: files, path: {inbox}, format: json, position: [seq], operation: {{column: op, delete: [D]}}}}}}
tables: {{users: {{source: feed, key: [id]}}}}
"""
INDEX = """
lake: {lake}
knowledge:
  documents: {{notes: {{from: folder, path: {notes}}}}}
  indexes: {{main: {{store: sqlite, path: {index}}}}}
"""
FEEDBACK = """
lake: {lake}
sources: {{app: {{from: files, path: {events}, format: json, position: [revision, at]}}}}
feedback: {{sources: [app]}}
"""


def python_3_13() -> str | None:
    """A Python as Glue 6.0 runs."""
    homes = sorted(
        (Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions").glob("3.13*/bin/python3.13")
    )
    for found in (shutil.which("python3.13"), *map(str, homes)):
        if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            return found
    return None


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = python_3_13()
    if found is None:
        pytest.skip("the bundle was not tried: no Python 3.13 here; install it, or put it into the PATH")
    bundles = list((ROOT / "dist").glob("*.gluewheels.zip"))
    assert len(bundles) == 1, "run `make package` first"
    folder = tmp_path_factory.mktemp("glue")
    subprocess.run([found, "-m", "venv", str(folder / "venv")], check=True)
    python = str(folder / "venv" / "bin" / "python")
    pip(python, "-r", str(SHIPPED))
    # Comes with --datalake-formats delta; its own requirements are those of a laptop.
    pip(python, "--no-deps", "delta-spark==4.2.0")
    with zipfile.ZipFile(bundles[0]) as bundle:
        bundle.extractall(folder / "wheels")
    pip(python, "--no-index", "--find-links", str(folder / "wheels"), "headrace[glue]")
    return python


def pip(python: str, *arguments: str) -> None:
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_every_module_is_imported_from_the_bundle(python):
    done = subprocess.run([python, "-I", "-c", IMPORT_ALL], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "site-packages" in done.stdout


def test_what_glue_brings_is_left_as_it_is(python):
    listed = subprocess.run([python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True)
    installed = {one["name"].lower().replace("_", "-"): one["version"] for one in json.loads(listed.stdout)}
    for line in SHIPPED.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            assert installed[name.lower().replace("_", "-")].startswith(version), line


def test_apply_changes_runs_from_the_bundle(python, tmp_path):
    inbox, lake = tmp_path / "in", tmp_path / "lake"
    inbox.mkdir()
    changes = [{"id": 1, "seq": 2, "op": "U", "name": "b"}, {"id": 1, "seq": 1, "op": "U", "name": "a"}]
    changes += [{"id": 2, "seq": 3, "op": "U", "name": "c"}, {"id": 2, "seq": 4, "op": "D"}]
    (inbox / "changes.json").write_text("".join(json.dumps(one) + "\n" for one in changes))
    run(python, "apply_changes", APPLY.format(lake=lake, inbox=inbox), tmp_path)
    rows = DeltaReader(str(lake)).query("tables/users", "SELECT id, name FROM rows")
    assert rows == [{"id": 1, "name": "b"}]


def test_index_knowledge_runs_from_the_bundle(python, tmp_path):
    notes, index = tmp_path / "notes", tmp_path / "index.db"
    notes.mkdir()
    (notes / "visa.md").write_text("# Visa\n\nA visa for Utopia takes three days.\n")
    (notes / "bags.html").write_text("<h1>Bags</h1><p>One bag of 23 kilograms is free.</p>")
    settings = INDEX.format(lake=tmp_path / "lake", notes=notes, index=index)
    run(python, "index_knowledge", settings, tmp_path)
    with sqlite3.connect(index) as connection:
        texts = [text for (text,) in connection.execute("SELECT json_extract(body, '$.text') FROM passages_1")]
    assert sorted("three days" in text for text in texts) == [False, True]


def test_track_feedback_runs_from_the_bundle(python, tmp_path):
    events, at = tmp_path / "events", datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
    events.mkdir()
    said = Rating("c", 1, at, "person", "comment", None, text="This was terrible, I hate it.")
    told = [Turn("c", 1, at, question="q", answer="a", outcome="answered", model="m", language="en"), said]
    (events / "0.json").write_text("".join(json.dumps(one.to_json()) + "\n" for one in told))
    run(python, "track_feedback", FEEDBACK.format(lake=tmp_path / "lake", events=events), tmp_path)
    sql = "SELECT numerator, denominator FROM rows WHERE measure = 'negative_comments'"
    assert DeltaReader(str(tmp_path / "lake")).query("measures", sql) == [{"numerator": 1.0, "denominator": 1.0}]


def run(python: str, job: str, settings: str, folder: Path) -> None:
    file = folder / "headrace.yaml"
    file.write_text(settings)
    arguments = ["--config", str(file), "--JOB_RUN_ID", "jr_1", "--once", "true"]
    process = start(job, arguments, folder / "spark", python=python, environ={"PYTHONPATH": ""})
    assert process.wait(240) == 0, (folder / "spark" / f"{job}.log").read_text()[-4000:]
