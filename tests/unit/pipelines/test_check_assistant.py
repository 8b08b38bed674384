"""What `headrace check` says of a template."""

from pathlib import Path

import pytest

from headrace.config_file import load
from headrace.errors import ConfigError
from headrace.pipelines.check_assistant import trials


def checked(folder: Path, context: str) -> list[str]:
    file = folder / "headrace.yaml"
    file.write_text(
        f"lake: {folder}/lake\nsources:\n  feed: {{from: files, path: {folder}/in, format: json, position: [seq]}}\n"
        f"tables:\n  rooms: {{source: feed, key: [id]}}\n{context}"
    )
    return [trial() for _, trial in trials(load(file))]


def test_a_template_is_tried_before_anybody_asks(tmp_path: Path) -> None:
    assert checked(tmp_path, "") == []
    (said,) = checked(tmp_path, "assistant: {context: {tokens: 1000}}\n")
    assert said.startswith("that of Headrace (") and said.endswith("leaves room in 1,000 tokens")
    template = tmp_path / "long.txt"
    template.write_text("word " * 2_000 + "$items")
    with pytest.raises(ConfigError, match="a template of at most 800 tokens; found 3"):
        checked(tmp_path, f"assistant: {{context: {{tokens: 1000, template: {template}}}}}\n")
