"""A version of a dataset as files: exact parts, the same bytes each time, whole or not there at all."""

import hashlib
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import DatasetRefused
from headrace.training import folder as folders
from headrace.training.card import kto_weights
from headrace.training.digest import ContentDigest
from headrace.training.example import Example
from headrace.training.folder import Written, write
from headrace.training.formats import FORMATS
from headrace.training.layout import Split
from headrace.training.limits import limits_of
from unit.training.some_examples import ABOUT, example, some_rows

Rows = list[tuple[Split, Example]]


def written(root: Path, name: str = "trl_sft", rows: Rows | None = None, **more: object) -> Written:
    """A dataset of the format."""
    given_rows = some_rows(FORMATS[name]) if rows is None else iter(rows)
    return write(root, given_rows, ABOUT, FORMATS[name], limits_of(name), **more)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_rows_go_to_exactly_as_many_files_in_turns(tmp_path: Path) -> None:
    done = written(tmp_path, rows=list(some_rows(FORMATS["trl_sft"], 11)), files={"train": 3, "validation": 2})
    assert done.folder == tmp_path / "travel" / "2026-02-01"
    rows = {name: one.count(b"\n") for name, one in contents(done.folder).items() if "/" in name}
    assert rows == {
        "train/part-00001-of-00003.jsonl": 4,
        "train/part-00002-of-00003.jsonl": 4,
        "train/part-00003-of-00003.jsonl": 3,
        "validation/part-00001-of-00002.jsonl": 2,
        "validation/part-00002-of-00002.jsonl": 2,
    }
    first = json.loads((done.folder / "train" / "part-00002-of-00003.jsonl").read_bytes().splitlines()[1])
    assert first["prompt"][-1]["content"] == "May my dog come on flight 4?"
    assert done.rows == {"train": 11, "validation": 4}


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    one, other = written(tmp_path / "a", files={"train": 3}), written(tmp_path / "b", files={"train": 3})
    assert contents(one.folder) == contents(other.folder)
    assert one.digest == other.digest


def test_order_and_number_of_files_leave_the_digest_as_it_is(tmp_path: Path) -> None:
    rows = list(some_rows(FORMATS["trl_sft"]))
    one = written(tmp_path / "a", rows=rows)
    assert written(tmp_path / "b", rows=rows[::-1], files={"train": 4}).digest == one.digest
    moved: Rows = [("validation", rows[0][1]), *rows[1:]]
    assert written(tmp_path / "c", rows=moved).digest != one.digest


@given(rows=st.lists(st.tuples(st.sampled_from(["train", "test"]), st.binary(max_size=3)), max_size=8), data=st.data())
def test_a_digest_is_that_of_a_multiset(rows: list[tuple[str, bytes]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    shuffled = data.draw(st.permutations(rows))

    def of(some: list[tuple[str, bytes]]) -> ContentDigest:
        digest = ContentDigest()
        for split, line in some:
            digest = digest.with_row(split, line)
        return digest

    assert of(rows) == of(shuffled) == of(shuffled[:cut]) + of(shuffled[cut:])
    assert len(of(rows).short()) == 32 and of(rows).hexadecimal().startswith(of(rows).short())
    if rows:
        # One row more or less, and each row twice, are other datasets.
        others = [rows, rows[1:], [*rows, rows[0]], [*rows, *rows, rows[0]]]
        assert len({of(some).hexadecimal() for some in others}) == 4


def test_checksums_are_those_that_sha256sum_reads(tmp_path: Path) -> None:
    folder = written(tmp_path, "jumpstart_instruction", place="s3://bucket/datasets").folder
    listed = dict(reversed(one.split("  ")) for one in (folder / "SHA256SUMS").read_text().splitlines())
    files = contents(folder)
    files.pop("SHA256SUMS")
    assert listed == {name: hashlib.sha256(one).hexdigest() for name, one in files.items()}
    assert {"README.md", "manifest.json", "train.manifest", "train/template.json"} <= files.keys()


def test_a_manifest_for_sagemaker_names_every_file(tmp_path: Path) -> None:
    folder = written(tmp_path, "jumpstart_instruction", place="s3://bucket/datasets/", files={"train": 2}).folder
    assert json.loads((folder / "train.manifest").read_bytes()) == [
        {"prefix": "s3://bucket/datasets/travel/2026-02-01/train/"},
        "part-00001-of-00002.jsonl", "part-00002-of-00002.jsonl", "template.json",
    ]  # fmt: skip
    assert (folder / "validation.manifest").exists() and not (folder / "test.manifest").exists()
    assert not (written(tmp_path / "local", "jumpstart_instruction").folder / "train.manifest").exists()


def test_the_manifest_says_what_is_there(tmp_path: Path) -> None:
    done = written(tmp_path, "trl_kto", files={"train": 2})
    told = json.loads((done.folder / "manifest.json").read_bytes())
    assert (told["format"], told["digest"], told["sources"]) == ("trl_kto", done.digest, {"ratings": 17, "turns": 0})
    assert (told["limits"], told["limits_as_of"]) == ({"rows_at_least": 1, "tokens": 1024}, "2026-07-24")
    assert told["kto_weights"] == {"desirable": 1.0, "undesirable": 1.71}
    train = told["splits"]["train"]
    assert (train["rows"], len(train["files"])) == (12, 2)
    for one in train["files"]:
        content = (done.folder / one["name"]).read_bytes()
        assert (one["bytes"], one["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_card_tells_counts_sources_and_refusals(tmp_path: Path) -> None:
    about = replace(ABOUT, notes=("An erasure ended byte for byte reproducibility.",), refusals={"a|b\nc": 2})
    rows = [*some_rows(FORMATS["trl_kto"]), ("test", replace(example("kto", 99), language=None, origin="correction"))]
    done = write(tmp_path, rows, about, FORMATS["trl_kto"], limits_of("trl_kto"))  # type: ignore[arg-type]
    card = (done.folder / "README.md").read_text("utf-8")
    for told in (
        "# travel, version 2026-02-01", "Format `trl_kto`: TRL, KTOTrainer.", done.digest,
        "| train | 12 |", "| validation | 4 |", "| test | 1 |",
        "| thumbs | 12 | 4 | 0 |", "| correction | 0 | 0 | 1 |", "| en | 12 | 4 | 0 |", "| unknown | 0 | 0 | 1 |",
        "| turns | 0 |", "| ratings | 17 |", "| a\\|b c | 2 |", "| persons on two sides | 0 |",
        "- our own conversations, by consent", "`desirable_weight=1`, `undesirable_weight=1.71`", "as of 2026-07-24",
        "- An erasure ended byte for byte reproducibility.",
    ):  # fmt: skip
        assert told in card


@given(good=st.integers(1, 10**7), bad=st.integers(1, 10**7))
def test_weights_for_kto_are_in_the_range(good: int, bad: int) -> None:
    weights = kto_weights(good, bad)
    assert weights is not None and min(weights) == 1.0
    assert 1 <= weights[0] * good / (weights[1] * bad) <= 4 / 3 + 1e-9
    assert (weights[0] > 1) <= (good < bad) and (weights[1] > 1) <= (bad < good)


def test_weights_need_both_labels() -> None:
    assert kto_weights(5, 0) is None and kto_weights(0, 5) is None


@pytest.mark.parametrize(
    ("name", "rows", "files", "said"),
    [
        ("trl_sft", [("train", example("sft"))], {}, "validation: expected rows in train and in validation"),
        ("trl_sft", [("validation", example("sft"))], {}, "train: expected rows in train"),
        ("trl_sft", [("train", example("dpo"))], {}, "as trl_sft, \\$: kind: expected sft for trl_sft; found dpo"),
        ("trl_sft", [("train", replace(example("sft"), completion=" "))], {}, "empty text: .* found an empty text"),
        (
            "trl_sft",
            [("train", example("sft")), ("validation", example("sft", 1))],
            {"train": 2},
            "train: expected a row for each file; found 1 rows for 2 files",
        ),
        ("trl_sft", [], {"train": 0}, "files of train: expected 1 to 99999"),
        ("nova", [], {"train": 2}, "files of train: expected 1 to 1 for nova; found 2"),
        ("nova", [("train", example("sft")), ("validation", example("sft", 1))], {}, "train too few rows"),
        ("trl_sft", [("train", example("sft")), ("validation", example("sft"))], {}, "line in two splits"),
    ],
)
def test_what_cannot_be_a_dataset_leaves_nothing(
    name: str, rows: Rows, files: dict[Split, int], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetRefused, match=said):
        written(tmp_path, name, rows, files=files)
    assert contents(tmp_path) == {}
    assert not list(tmp_path.glob("travel/*"))


@pytest.mark.parametrize("name", ["", "a/b", "dt=1", "..", "ü", "a b"])
def test_names_that_a_trainer_refuses_are_refused(name: str, tmp_path: Path) -> None:
    for about in (replace(ABOUT, dataset=name), replace(ABOUT, version=name)):
        with pytest.raises(DatasetRefused, match="expected letters, digits"):
            write(tmp_path, [], about, FORMATS["trl_sft"], limits_of("trl_sft"))


def test_a_version_is_never_written_again(tmp_path: Path) -> None:
    before = contents(written(tmp_path).folder)

    def never() -> Iterator[tuple[Split, Example]]:
        raise AssertionError("rows were read")
        yield

    with pytest.raises(DatasetRefused, match="expected a new version; found one of that name"):
        written(tmp_path, rows=never())  # type: ignore[arg-type]
    assert contents(tmp_path / "travel" / "2026-02-01") == before


def test_of_two_writers_one_wins_and_the_other_says_so(tmp_path: Path) -> None:
    def overtaken() -> Iterator[tuple[Split, Example]]:
        yield from some_rows(FORMATS["trl_sft"])
        written(tmp_path)

    with pytest.raises(DatasetRefused, match="found one of that name"):
        written(tmp_path, rows=overtaken())  # type: ignore[arg-type]
    assert [one.name for one in (tmp_path / "travel").iterdir()] == ["2026-02-01"]


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from unit.training.test_folder import written
from unit.training.some_examples import some_rows
from headrace.training.formats import FORMATS

def rows():
    yield from some_rows(FORMATS["trl_sft"], 2000)
    os.kill(os.getpid(), signal.SIGKILL)

written(Path(sys.argv[1]), rows=rows())
"""


def test_a_kill_leaves_no_version_and_the_next_writer_cleans_up(tmp_path: Path) -> None:
    here = Path(__file__).parents[2]
    ways = [str(here.parent / "lib"), str(here)]
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), *ways], capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    (left,) = (tmp_path / "travel").iterdir()
    assert left.name.startswith(".2026-02-01.unfinished-")
    assert written(tmp_path).folder.is_dir()
    assert [one.name for one in (tmp_path / "travel").iterdir()] == ["2026-02-01"]


def test_a_fault_in_the_last_step_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "_sync", full)
    with pytest.raises(OSError, match="No space left"):
        written(tmp_path)
    assert list((tmp_path / "travel").iterdir()) == []


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            rows = some_rows(FORMATS["jumpstart_text"], count)
            write(tmp_path / str(count), rows, ABOUT, FORMATS["jumpstart_text"], limits_of("jumpstart_text"))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    few, many = peak(300), peak(3000)
    # 2,700 rows more take 270 kB on the disk, and 8 bytes each in the check, which sorts them once.
    assert many - few < 2700 * 40
