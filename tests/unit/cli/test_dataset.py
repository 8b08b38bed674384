"""`headrace dataset check`: what it prints, and how it ends."""

import json
from pathlib import Path

import pytest

from headrace.cli import main
from headrace.pipelines import dataset_audit
from headrace.ports_texts import PersonalData
from headrace.training.folder import write
from headrace.training.formats import FORMATS
from headrace.training.limits import limits_of
from headrace.training.privacy_audit import texts_of
from unit.training.some_examples import ABOUT, some_rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    format = FORMATS["trl_kto"]
    return write(tmp_path, some_rows(format), ABOUT, format, limits_of("trl_kto")).folder


def spoil(folder: Path, times: int = 1) -> None:
    """Misspell the label of the first lines of `train`."""
    file = folder / "train" / "part-00001-of-00001.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"label":', b'"lable":', times))
    (folder / "SHA256SUMS").unlink()


def test_a_good_dataset_ends_with_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "check", str(folder)]) == 0
    assert capsys.readouterr().out == "ok: a dataset for trl_kto\n"


def test_a_bad_one_ends_with_1_and_says_where(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(folder)
    assert main(["dataset", "check", str(folder), "--format", "trl_kto"]) == 1
    out = capsys.readouterr().out.splitlines()
    place = "train/part-00001-of-00001.jsonl:1 $: "
    assert out[0].startswith(f"{place}missing key: expected the key label; found completion, lable, prompt. ")
    assert out[1].startswith(f"{place}unknown key: expected no keys but prompt, completion, label; found lable. ")
    assert out[-1] == "2 problems: missing key 1, unknown key 1"


def test_all_are_counted_where_few_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(folder, 6)
    assert main(["dataset", "check", str(folder), "--limit", "1"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 3
    assert out[-1] == "12 problems (1 are shown; --limit 0 shows all): missing key 6, unknown key 6"


def test_json_for_machines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(folder)
    assert main(["dataset", "check", str(folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["format"], told["problems"]) == (False, "trl_kto", 2)
    assert told["by_rule"] == {"missing key": 1, "unknown key": 1}
    assert (told["shown"][0]["file"], told["shown"][0]["line"]) == ("train/part-00001-of-00001.jsonl", 1)


class Suspicious:
    """Takes every capital letter for a name."""

    closed = False

    def personal_data(self, text: str, language: str) -> list[PersonalData]:
        assert language == "en"
        return [PersonalData(at, at + 1, "NAME", 0.9) for at, letter in enumerate(text) if letter.isupper()][:1]

    def close(self) -> None:
        self.closed = True


def test_a_second_opinion_is_told_and_decides_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = Suspicious()
    monkeypatch.setattr(dataset_audit, "finder", lambda: finder)
    words = ["dataset", "check", str(folder), "--second-opinion", "en", "--sample", "2"]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["second_opinion"]
    first = json.loads((folder / "train" / "part-00001-of-00001.jsonl").read_text("utf-8").partition("\n")[0])
    capitals = [any(map(str.isupper, one)) for one in texts_of(first)]
    assert [one["place"] for one in told[0]["seen"]] == [place for place, has in enumerate(capitals) if has]
    assert [one["line"] for one in told] == [1, 2] and finder.closed
    assert main(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "ok: a dataset for trl_kto" and out[1].startswith("train/part-00001-of-00001.jsonl:1 text ")
    assert out[-1] == f"second opinion on 2 lines: NAME {sum(len(one['seen']) for one in told)}"


def test_limits_may_be_set(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "check", str(folder), "--set", "rows_at_least=13"]) == 1
    assert "too few rows: expected at least 13 rows; found 12." in capsys.readouterr().out
    assert main(["dataset", "check", str(folder), "--set", "tokens=5"]) == 1
    assert main(["dataset", "check", str(folder), "--set", "tokens=5", "--set", "tokens=none"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "FOLDER: expected a folder; found nowhere"),
        ([".", "--format", "alpaca"], "--format: expected one of jumpstart_instruction, "),
        (["."], "--format: expected jumpstart_instruction or "),
        ([".", "--format", "nova", "--set", "tokens"], "--set: expected LIMIT=VALUE; found tokens"),
        ([".", "--format", "nova", "--set", "tokens=[a"], "--set: expected a value; found [a"),
        ([".", "--format", "nova", "--set", "rows=5"], "limits of nova: expected file_bytes or "),
    ],
)
def test_a_wrong_call_ends_with_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["dataset", "check", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_without_an_action_the_help_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset"]) == 2
    assert "ACTION" in capsys.readouterr().err
    assert main(["dataset", "check", "--help"]) == 0
    assert "usage: headrace dataset check" in capsys.readouterr().out
