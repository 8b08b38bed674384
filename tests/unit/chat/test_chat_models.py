"""The models that the settings name, in their order."""

import re
from pathlib import Path

import pytest

from headrace.config_assistant import Assistant
from headrace.config_file import load
from headrace.errors import ConfigError
from headrace.stores.chat_models import answerers, close

SETTINGS = """\
lake: ./lake
knowledge:
  documents: {notes: {from: folder, path: ./notes}}
  indexes: {main: {store: sqlite, path: ./passages.db}}
assistant:
  model: {provider: bedrock, model: amazon.nova-lite-v1:0, region: eu-central-1, price: {input: 0.06, output: 0.24, as_of: 2026-11-01}}
  answers:
    timeout: 45s
    fallback:
    - {provider: sagemaker, endpoint: assistant, region: eu-central-1}
    - {provider: openai, url: "http://127.0.0.1:9/v1", model: m, key: {secret: env:CHAT_KEY}, ca_file: ./ca.pem}
    - {sentences: 2}
"""  # noqa: E501


def loaded(folder: Path, text: str = SETTINGS) -> Assistant:
    (folder / "headrace.yaml").write_text(text, encoding="utf-8")
    return load(folder / "headrace.yaml", {"CHAT_KEY": "sk-hidden"}).assistant


def test_they_come_in_the_order_in_which_they_are_asked(tmp_path):
    made = answerers(loaded(tmp_path))
    close(made)
    assert [(one.provider, one.model.name) for one in made] == [
        ("bedrock", "amazon.nova-lite-v1:0"), ("sagemaker", "assistant"), ("openai", "m"), ("extractive", "extractive"),
    ]  # fmt: skip
    assert [one.price is not None for one in made] == [True, False, False, False]


def test_without_settings_it_quotes():
    (only,) = answerers(Assistant())
    assert only.provider == "extractive"


def test_the_key_does_not_print_and_a_file_of_certificates_is_taken_from_the_settings_folder(tmp_path):
    settings = loaded(tmp_path)
    assert "sk-hidden" not in repr(settings)
    assert getattr(settings.answers.fallback[1], "ca_file") == str(tmp_path / "ca.pem")  # noqa: B009


def test_a_model_that_cannot_be_made_is_named_by_its_place(tmp_path):
    text = SETTINGS.replace("http://127.0.0.1:9", "https://127.0.0.1:9")
    with pytest.raises(ConfigError, match=re.escape("assistant.answers.fallback[1].ca_file: expected a file with")):
        answerers(loaded(tmp_path, text))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("timeout: 45s", "timeout: 5s", "first_piece\n    expected  at most timeout, 5s\n    found     20s"),
        ("provider: bedrock, ", "", "model.provider\n    expected  one of extractive, bedrock, sagemaker, openai"),
        ("{secret: env:CHAT_KEY}", "sk-plain", "a credential as plain text, not shown"),
        ("as_of: 2026-11-01", "as_of: lately", "as_of\n    expected  the day of the price list"),
        ("sentences: 2", "sentences: 0", "sentences\n    expected  a whole number from 1 to 20"),
    ],
)
def test_wrong_settings_are_refused_with_what_to_do(tmp_path, before, after, told):
    assert before in SETTINGS
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, SETTINGS.replace(before, after))
    assert told in str(caught.value) and "sk-" not in str(caught.value)
