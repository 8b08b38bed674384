"""A good folder of every format passes; each fault planted in files or in the whole is found where it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.training import validate
from headrace.training.folder import write
from headrace.training.formats import FORMATS
from headrace.training.formats.format import Format
from headrace.training.layout import CHECKSUMS, MANIFEST, part
from headrace.training.limits import limits_of
from headrace.training.lines import lines
from unit.training.some_examples import ABOUT, some_rows

PART = part(1, 1, ".jsonl")
EACH = pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)


def made(tmp_path: Path, name: str, files: int = 1) -> Path:
    """The folder of a good dataset."""
    format = FORMATS[name]
    return write(tmp_path, some_rows(format), ABOUT, format, limits_of(name), files={"train": files}).folder


def found(folder: Path, name: str, **limits: Any) -> set[tuple[str, str, int | None]]:
    """What is wrong: rule, file and line. Checksums and the manifest change with every fault: they are taken away."""
    for one in (CHECKSUMS, MANIFEST):
        (folder / one).unlink(missing_ok=True)
    told = validate.problems(folder, FORMATS[name], limits_of(name, limits))
    return {(one.rule, one.file, one.line) for one in told}


def train_file(folder: Path) -> Path:
    """The first file of `train` with lines."""
    return next(one for one in sorted((folder / "train").iterdir()) if one.name.startswith("part-"))


@EACH
def test_a_good_folder_has_no_problems(format: Format, tmp_path: Path) -> None:
    folder = made(tmp_path, format.name)
    assert list(validate.problems(folder, format, limits_of(format.name))) == []


RAW: list[tuple[str, Callable[[list[bytes]], list[bytes]], str, int]] = [
    ("a byte order mark", lambda all: [b"\xef\xbb\xbf" + all[0], *all[1:]], "byte order mark", 1),
    ("Latin-1", lambda all: [all[0], all[1].replace(b"travels", b"travels \xfc"), *all[2:]], "UTF-8", 2),
    ("a blank line", lambda all: [all[0], b"\n", *all[1:]], "blank line", 2),
    ("a line of blanks", lambda all: [all[0], b"  \t\n", *all[1:]], "blank line", 2),
    ("the end cut off", lambda all: [*all[:2], all[2][:-20]], "JSON", 3),
    ("no end of the last line", lambda all: [*all[:2], all[2][:-1]], "last line", 3),
    ("ends of lines of Windows", lambda all: [all[0].replace(b"\n", b"\r\n"), *all[1:]], "end of line", 1),
    ("two objects on a line", lambda all: [all[0][:-1] + all[1], *all[2:]], "JSON", 1),
    ("a comma at the end", lambda all: [all[0][:-1] + b",\n", *all[1:]], "JSON", 1),
    ("an array around all", lambda all: [b"[\n", *all, b"]\n"], "JSON", 1),
    ("quotes of Python", lambda all: [all[0].replace(b'"', b"'"), *all[1:]], "JSON", 1),
    ("a key twice", lambda all: [all[0].replace(b"{", b'{"text":"a","text":"b",', 1), *all[1:]], "key twice", 1),
    ("not a number", lambda all: [all[0].replace(b"{", b'{"score":NaN,', 1), *all[1:]], "JSON number", 1),
    ("minus infinity", lambda all: [all[0].replace(b"{", b'{"score":-Infinity,', 1), *all[1:]], "JSON number", 1),
    ("a number of 5,000 digits", lambda all: [b'{"text":' + b"9" * 5000 + b"}\n", *all[1:]], "JSON", 1),
    ("a value too deep", lambda all: [b"[" * 100_000 + b"\n", *all[1:]], "JSON", 1),
    ("a null byte", lambda all: [b"\0" * 20 + b"\n", *all[1:]], "JSON", 1),
    ("the second line is no JSON", lambda all: [all[0], b"question,answer\n", *all[2:]], "JSON", 2),
    ("a text alone", lambda all: [b'"hello"\n', *all[1:]], "object", 1),
    ("a line again", lambda all: [*all, all[1]], "duplicate line", -1),
    ("a line again, spelt otherwise", lambda all: [*all, json.dumps(json.loads(all[1])).encode() + b"\n"],
     "duplicate line", -1),
]  # fmt: skip


@EACH
@pytest.mark.parametrize(("change", "rule", "line"), [one[1:] for one in RAW], ids=[one[0] for one in RAW])
def test_a_fault_of_a_file_is_found_on_its_line(
    format: Format, change: Callable[[list[bytes]], list[bytes]], rule: str, line: int, tmp_path: Path
) -> None:
    folder = tmp_path / "v1"
    good = [json.dumps(format.line(one), sort_keys=True).encode() + b"\n" for _, one in some_rows(format, 6, 1)]
    for split, rows in (("train", change(good[:3])), ("validation", good[3:4])):
        (folder / split).mkdir(parents=True)
        (folder / split / f"rows{format.suffix}").write_bytes(b"".join(rows))
    number = len(change(good[:3])) if line < 0 else line
    assert (rule, f"train/rows{format.suffix}", number) in found(folder, format.name, rows_at_least=1)


def _copy(folder: Path, name: str) -> None:
    (folder / name).write_bytes(train_file(folder).read_bytes())


def _append(folder: Path, rows: bytes) -> None:
    with train_file(folder).open("ab") as file:
        file.write(rows)


def _part(folder: Path, number: int, of: int) -> Path:
    return folder / "train" / part(number, of, ".jsonl")


WHOLE: list[tuple[str, str, Callable[[Path], object], set[tuple[str, str]]]] = [
    ("no validation", "openai_chat", lambda at: (at / "validation").rename(at.parent / "kept"),
     {("missing split", "validation")}),
    ("no train", "nova", lambda at: (at / "train").rename(at.parent / "kept"),
     {("missing split", "train"), ("too few rows", "train")}),
    ("no rows for validation", "openai_chat", lambda at: (at / "validation" / part(1, 1, ".jsonl")).write_bytes(b""),
     {("empty file", "validation/part-00001-of-00001.jsonl")}),
    ("what Spark leaves", "openai_chat", lambda at: (at / "train" / "_SUCCESS").touch(),
     {("name", "train/_SUCCESS"), ("unexpected file", "train/_SUCCESS")}),
    ("a checksum of Hadoop", "openai_chat", lambda at: (at / "train" / ".part.crc").touch(),
     {("name", "train/.part.crc"), ("unexpected file", "train/.part.crc")}),
    ("a folder of a partition", "openai_chat", lambda at: (at / "train" / "dt=2026-01-31").mkdir(),
     {("name", "train/dt=2026-01-31"), ("unexpected file", "train/dt=2026-01-31")}),
    ("another suffix", "openai_chat", lambda at: train_file(at).rename(at / "train" / "rows.json"),
     {("unexpected file", "train/rows.json"), ("missing split", "train"), ("too few rows", "train")}),
    ("a file beside", "openai_chat", lambda at: (at / "notes.txt").touch(), {("unexpected file", "notes.txt")}),
    ("a fourth split", "openai_chat", lambda at: (at / "dev").mkdir(), {("unexpected file", "dev")}),
    ("a link", "openai_chat", lambda at: (at / "train" / "linked.jsonl").symlink_to(train_file(at)),
     {("unexpected file", "train/linked.jsonl")}),
    ("two files for one", "nova", lambda at: (at / "train" / "more.jsonl").write_bytes(b'{"text":"x"}\n'),
     {("files", "train"), ("unknown key", "train/more.jsonl"), ("missing key", "train/more.jsonl"),
      ("missing part", "train"), ("unequal parts", "train")}),
    ("two files of texts", "jumpstart_text", lambda at: (at / "train" / "more.json").write_bytes(b'{"text":"x"}\n'),
     {("files", "train"), ("missing part", "train"), ("unequal parts", "train")}),
    ("a part left out", "trl_sft", lambda at: _part(at, 2, 3).unlink(), {("missing part", "train")}),
    ("a part of another writing", "trl_sft", lambda at: _part(at, 2, 3).rename(_part(at, 2, 4)),
     {("missing part", "train")}),
    ("a part cut in half", "trl_sft",
     lambda at: _part(at, 2, 3).write_bytes(_part(at, 2, 3).read_bytes().splitlines(keepends=True)[0]),
     {("unequal parts", "train")}),
    ("a row on two sides", "trl_sft",
     lambda at: _copy(at, "validation/part-00001-of-00001.jsonl"),
     {("line in two splits", "validation/part-00001-of-00001.jsonl")}),
    ("one label", "trl_kto",
     lambda at: train_file(at).write_bytes(train_file(at).read_bytes().replace(b'"label":false', b'"label":true')),
     {("both labels", "train")}),
    ("a template with another key", "jumpstart_instruction",
     lambda at: (at / "train" / "template.json").write_text('{"prompt":"{question}","completion":"{response}"}'),
     {("template", "train/template.json")}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "expected"), [one[1:] for one in WHOLE], ids=[one[0] for one in WHOLE])
def test_a_fault_of_the_whole_is_found(
    name: str, change: Callable[[Path], object], expected: set[tuple[str, str]], tmp_path: Path
) -> None:
    folder = made(tmp_path, name, files=3 if name == "trl_sft" else 1)
    change(folder)
    assert {(rule, file) for rule, file, _ in found(folder, name)} == expected


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"rows_at_least": 101}, {("too few rows", "train", None)}),
        ({"rows_at_most": 99}, {("too many rows", "train", None)}),
        ({"file_bytes": 1000}, {("file size", f"{one}/{PART}", None) for one in ("train", "validation")}),
        ({"total_bytes": 1000}, {("dataset size", "", None)}),
        ({"rows_at_most": 100, "rows_at_least": 100}, set()),
    ],
)  # fmt: skip
def test_limits_count(limits: dict[str, int], expected: set[tuple[str, str, int | None]], tmp_path: Path) -> None:
    assert found(made(tmp_path, "distillation"), "distillation", **limits) == expected


def test_a_size_at_the_limit_is_within(tmp_path: Path) -> None:
    folder = made(tmp_path, "trl_sft")
    sizes = [one.stat().st_size for one in folder.rglob("part-*")]
    at = {"file_bytes": max(sizes), "total_bytes": sum(sizes)}
    assert found(folder, "trl_sft", **at) == set()
    below = {name: size - 1 for name, size in at.items()}
    assert {rule for rule, _, _ in found(folder, "trl_sft", **below)} == {"file size", "dataset size"}


def test_a_name_with_an_equals_sign_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path, "nova").rename(tmp_path / "version=1")
    assert ("name", "version=1", None) in found(folder, "nova")


def test_what_changed_after_writing_is_found(tmp_path: Path) -> None:
    folder, format = made(tmp_path, "trl_sft"), FORMATS["trl_sft"]
    line = json.loads(train_file(folder).read_bytes().splitlines()[0])
    line["completion"][0]["content"] = "Another answer."
    _append(folder, json.dumps(line).encode() + b"\n")
    (folder / "train.manifest").write_bytes(b"[]")
    (folder / "README.md").unlink()
    told = {(one.rule, one.file) for one in validate.problems(folder, format, limits_of("trl_sft"))}
    assert told == {
        ("checksum", "train/part-00001-of-00001.jsonl"), ("checksum", "train.manifest"), ("checksum", "README.md"),
        ("manifest", "manifest.json"),
    }  # fmt: skip


def test_a_manifest_of_another_format_is_found(tmp_path: Path) -> None:
    folder = made(tmp_path, "converse")
    told = list(validate.problems(folder, FORMATS["nova"], limits_of("nova")))
    assert [(one.rule, one.found) for one in told] == [("manifest", "converse")]


def test_a_line_too_long_is_passed_over_and_told(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"text":"' + b"x" * 5000 + b'"}\n{"text":"y"}\n')
    first, second = lines(file, longest=100)
    assert [one.rule for one in first.violations] == ["line length"]
    assert (second.number, second.value, second.violations) == (2, {"text": "y"}, [])


def test_many_duplicates_are_each_told_with_the_first(tmp_path: Path) -> None:
    folder = made(tmp_path, "jumpstart_text")
    rows = train_file(folder).read_bytes()
    _append(folder, rows + rows)
    (folder / CHECKSUMS).unlink()
    (folder / MANIFEST).unlink()
    told = list(validate.problems(folder, FORMATS["jumpstart_text"], limits_of("jumpstart_text")))
    name, count = "train/part-00001-of-00001.json", rows.count(b"\n")
    assert [(one.rule, one.line, one.found) for one in told] == [
        ("duplicate line", count * time + number, f"that of {name}:{number}")
        for time in (1, 2) for number in range(1, count + 1)
    ]  # fmt: skip
    assert str(told[0]) == (
        f"{name}:{count + 1}: duplicate line: expected each line once; found that of {name}:1. Keep one of them."
    )


def test_no_folder_is_told(tmp_path: Path) -> None:
    (one,) = validate.problems(tmp_path / "none", FORMATS["nova"], limits_of("nova"))
    assert one.rule == "folder"


def test_the_page_lists_the_faults() -> None:
    page = (Path(__file__).parents[3] / "docs" / "dataset-formats.md").read_text("utf-8")
    raw, whole = [one[0] for one in RAW], [one[0] for one in WHOLE]
    assert f"Planted in a file of every format ({len(raw)}): {'; '.join(raw)}." in page
    assert f"Planted in a folder ({len(whole)}): {'; '.join(whole)}." in page
