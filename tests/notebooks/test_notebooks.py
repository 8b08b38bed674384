"""Every notebook runs from top to bottom, quickly and without a warning; its pair holds the same and no outputs.

Run by `make notebooks-test`, in an environment of their own (`.venv/notebooks`).
"""

import importlib.util
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "notebooks").glob("*.py"))
CELL_SECONDS = 360
"""Time is no proof of anything on a shared machine; a cell that hangs must end all the same."""
QUIET = ["--IPKernelApp.log_level=40"]
"""The kernel warns of every connection over TCP, be it from this machine to itself."""

SHOWN = {
    "01_a_changes_story": """
        assert waves["sent"].gt(0).all() and waves["stale"].gt(0).all() and waves["rejected"].eq(0).all()
        assert set(events["outcome"]) == {"applied", "stale"} and events.query("outcome == 'stale'")["why"].all()
        assert pd.Series(stored).dropna().is_monotonic_increasing
        assert not events["changed at source (min)"].is_monotonic_increasing
        assert bookings.count() == 1 and states.count() >= 2 and states.where("_current").count() == 1
        kept = bookings.first()
        assert wrong is None or (wrong["status"], wrong["price"]) != (kept["status"], kept["price"])
        assert [row["differences"] for row in story.against_source(played)] == [0, 0]
    """,
    "02_search_and_the_embedding_bill": """
        assert bill["documents"].tolist() == [15, 14, 14]
        assert bill["embedded"].tolist() == [bill["passages"][0], len(EDITS), 0]
        assert bill["embedded_tokens"][1] < bill["tokens"][1] / 20
        old, new = EDITS["check-in.md"]
        assert old in before[0]["text"] and new in after[0]["text"]
        assert all(len(rows) == 4 for rows in modes.values()) and modes["words"] != modes["vector"]
        assert modes["hybrid"][0]["document"] == "baggage.md"
    """,
    "03_sql_on_a_live_stream": """
        assert len(over_time) >= 5 and over_time.iloc[-1].sum() > over_time.iloc[len(over_time) // 2].sum() > 0
        assert len(compared) == 3 and compared["rows"].equals(compared["at the source"])
        assert (compared["events"] > compared["rows"]).all()
        assert paid.where("status <> 'paid'").count() == 0
    """,
    "04_people": """
        by_system = pd.DataFrame(found.by_system(told.config)).set_index("system")
        assert (by_system["joined with another's"] > 0).all()
        first, second, third = (shown[younger] for shown in told.acts)
        assert second["person"] == told.acts[1][older]["person"] != first["person"] == third["person"]
        assert second["records"] == first["records"] + told.acts[0][older]["records"] > third["records"]
        assert len(during.links) > len(before.links) and after.links == before.links
        kinds = pd.DataFrame(found.event_rows(after))["what"].tolist()
        assert kinds.index("merge") < kinds.index("split")
        assert counts.loc[1].gt(50).all() and counts.index.max() >= 3
        assert [row["records"] for row in found.hubs(told.config)] == [14] and hidden["person"].is_unique
        assert len(hidden) == 14
        assert "bookings" not in refused and "phone" not in refused and "Left out: 2 not agreed to" in refused
        assert "bookings" in agreed and "phone" in agreed and "not agreed to: nothing" in agreed
        assert people.equals_truth(told)
    """,
    "05_measures_and_ratings": """
        added = {minute: row["of"] - row["of before"] for minute, row in rush.iterrows()}
        assert added == {"12:00": 0, "12:01": 2, "12:02": 0, "12:03": 0} and rush["up before"].equals(rush["up"])
        assert shares["enough"].any() and not shares["enough"].all()
        assert ((shares["low"] < shares["share"]) & (shares["share"] < shares["high"])).all()
        better = pd.DataFrame(found.whole(config, "thumbs_up", "prompt")).set_index("prompt")
        assert better.loc["v1", "high"] < better.loc["v2", "low"]
        felt = pd.DataFrame(found.comments(config)).set_index("text")["sentiment"]
        assert set(felt[list(feedback.PRAISE)]) == {"positive"} and set(felt[list(feedback.BLAME)]) == {"negative"}
        assert (slow["p50"] < slow["p95"]).all().all() and (slow["p50"]["lite"] < slow["p50"]["pro"]).all()
        assert found.equals_truth(config, told)
    """,
    "06_from_rating_to_dataset": """
        assert (kinds.loc["sft", "examples"] < kinds.loc["kto", "examples"]) and kinds.loc["dpo", "regenerated"] > 0
        wanted = {"cut_off", "no_consent", "refusal", "other_language", "same_words", "near_duplicate_of"}
        assert wanted <= set(refused["reason"]) and sum(first.rows.values()) > 60
        said = " ".join(cleaned["in the dataset"])
        assert len(cleaned) == len(training.PERSONAL)
        assert all(f"[{kind}_" in said for kind in ("EMAIL", "PHONE", "CARD", "IBAN"))
        assert "help@airline.example" in said and "ada.lovelace" not in said and "4111" not in said
        assert twins["similarity"].between(0.8, 1).all()
        assert len(twins) == refused.query("step == 'duplicates'")["examples"].sum()
        assert sides.loc["this version"].eq(0).all() and sides.loc["at random, with duplicates"].gt(0).all()
        rules = {text.split(": ")[1] for text in problems}
        assert {"role", "JSON", "blank line", "duplicate line", "checksum", "manifest"} <= rules
        assert gone == [] and first.version != second.version and found.aliases(config)["newest"] == second.version
        stayed = moved.query("`was in` != '-' and `is in` != '-'")
        assert stayed["was in"].equals(stayed["is in"])
        assert "Reproducibility ended at an erasure" in found.remark(second.places["converse"])
        assert left == [] and "-" in list(moved["was in"])
        assert found.equals_truth(config, second.version, without=who)
    """,
}
"""What each notebook promises to show, asked in a last cell of its own."""


@pytest.fixture(params=SOURCES, ids=lambda source: source.stem)
def source(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_there_are_six_and_each_says_what_it_must_show() -> None:
    assert [source.stem for source in SOURCES] == sorted(SHOWN)


def test_it_runs_from_top_to_bottom_without_a_warning_and_shows_what_it_says(
    source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    notebook = jupytext.read(source)
    notebook.cells.append(nbformat.v4.new_code_cell(re.sub(r"^ +", "", SHOWN[source.stem], flags=re.MULTILINE)))
    # Where a kernel thinks it is tested it leaves out what Java writes to its error stream.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    folder = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources=folder, extra_arguments=QUIET)
    began = time.monotonic()
    client.execute(env=environ)
    seconds = time.monotonic() - began
    beside_its_cells = capfd.readouterr()
    print(f"{source.stem}: {seconds:.0f} s")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert [output["text"] for output in outputs if output.get("name") == "stderr"] == []
    assert beside_its_cells.err == ""
    assert [text for text in map(_printed, outputs) if re.search("warn", text, re.IGNORECASE)] == []
    assert any("image/png" in output.get("data", {}) for output in outputs), "no plot"
    assert list(tmp_path.iterdir()) == []


def test_its_pair_holds_the_same_and_no_outputs(source: Path) -> None:
    text = source.with_suffix(".ipynb").read_text("utf-8")
    assert text == _pairing().paired(source), "run `make notebooks`"
    cells = json.loads(text)["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


def test_the_first_cell_is_the_same_in_all_and_names_the_runtime() -> None:
    first = {_code(source)[0] for source in SOURCES}
    assert len(first) == 1
    assert first.pop().startswith('RUNTIME = "local"')


def test_its_cells_hold_no_logic_and_no_absolute_path(source: Path) -> None:
    code = "\n".join(_code(source))
    assert not re.search(r"^\s*(def|class|while|try|with|async)\b", code, re.MULTILINE)
    assert max(len(cell.splitlines()) for cell in _code(source)[1:]) <= 20
    assert not re.search(r"(?<![\w.\"}/])/(home|tmp|work|root|Users|mnt|var)\b", source.read_text("utf-8"))


def test_every_plot_has_labelled_axes(source: Path) -> None:
    plots = [cell for cell in _code(source) if "plt.show()" in cell]
    assert plots
    assert all("xlabel=" in cell and "ylabel=" in cell and "title=" in cell for cell in plots)


def _code(source: Path) -> list[str]:
    return [cell["source"] for cell in jupytext.read(source).cells if cell["cell_type"] == "code"]


def _printed(output: Any) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


def _pairing() -> Any:
    spec = importlib.util.spec_from_file_location("pairing", ROOT / "scripts" / "notebooks.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
