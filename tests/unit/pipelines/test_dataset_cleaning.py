"""Files with questions that a model will be tested with, on this machine and behind a URL as in S3."""

from pathlib import Path

import pytest

from headrace.config_datasets import Dataset, Datasets
from headrace.errors import ConfigError
from headrace.pipelines.dataset_cleaning import cleaning_of
from headrace.training.decontaminate import contaminated
from unit.training.test_privacy_audit import example

QUESTION = "Which gate does the early plane to Reykjavik leave from on Mondays in winter, and is there a bus?"


def index_of(evaluation: str) -> object:
    one = Dataset(kind="sft", formats=("trl_sft",), evaluation=(evaluation,))
    settings = Datasets.model_validate({"key": "a key for tests only", "sets": {"support": one}})
    return cleaning_of("support", one, settings).index


@pytest.mark.parametrize("before", ["", "file://"])
@pytest.mark.parametrize("content", [f"{QUESTION}\n", f"\ufeff{QUESTION}"])
def test_questions_are_read_from_a_path_and_a_url(tmp_path: Path, before: str, content: str) -> None:
    (tmp_path / "questions.txt").write_text(content, "utf-8")
    index = index_of(f"{before}{tmp_path}/questions.txt")
    found = contaminated(example(1, QUESTION), index)  # type: ignore[arg-type]
    assert found is not None and found.step == "contaminated"
    assert contaminated(example(1, "May my dog come along?"), index) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("before", ["", "file://"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, before: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a text file with questions; found [Nn]o such file"):
        index_of(f"{before}{tmp_path}/absent.txt")


def test_bytes_that_are_no_text_and_lines_that_are_no_question_are_told(tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_bytes(b'{"question": "\xff"}\n')
    with pytest.raises(ConfigError, match="found 'utf-8' codec"):
        index_of(str(tmp_path / "questions.jsonl"))
    (tmp_path / "questions.jsonl").write_text('{"question": "a"}\n{"asked": "b"}\n')
    with pytest.raises(ConfigError, match=r"questions.jsonl, line 2: expected a JSON object with question or prompt"):
        index_of(str(tmp_path / "questions.jsonl"))
