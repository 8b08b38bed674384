"""The schema and the page written from it."""

from pathlib import Path

import jsonschema
import pytest

from headrace.profiles.schema import PROFILE, page
from unit.profiles.people import NOW, booking, click, clicks, profile, record, said

PAGE = Path(__file__).parents[3] / "docs" / "profile-schema.md"
WRITE = """python -c "from headrace.profiles.schema import page; print(page(), end='')" > docs/profile-schema.md"""


def test_the_schema_is_one_and_describes_every_property() -> None:
    jsonschema.Draft202012Validator.check_schema(PROFILE)
    jsonschema.validate(profile().document | {"built_at": "2026-11-26T14:05:00.5Z"}, PROFILE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": 2}, {"more": 1}, {"person": None}, {"cut": "no"}, {"record_count": -1},
        {"fields": {"name": {"value": "Ada"}}}, {"built_at": "2026-11-26 14:05"},
    ],
    ids=str,
)  # fmt: skip
def test_the_schema_refuses_what_no_profile_is(wrong: dict[str, object]) -> None:
    rows = [record("shop", "Ada"), booking("b"), *clicks(click("c", NOW)), said("ads", None)]
    document = profile(*rows).document
    jsonschema.validate(document, PROFILE)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document | wrong, PROFILE)


def test_the_page_is_written_from_the_schema() -> None:
    assert PAGE.read_text("utf-8") == page(), f"run {WRITE}"
