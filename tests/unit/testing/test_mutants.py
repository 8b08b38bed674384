"""The list of mutants follows the code: the soak would find out hours later."""

import shutil
from pathlib import Path

import pytest

from soak.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_changes_a_text_that_is_there_and_stays_python(mutant: Mutant, tmp_path: Path) -> None:
    copy = tmp_path / mutant.path
    copy.parent.mkdir(parents=True)
    shutil.copy(ROOT / mutant.path, copy)

    mutant.apply(tmp_path)

    assert copy.read_text() != (ROOT / mutant.path).read_text()
    compile(copy.read_text(), mutant.path, "exec")


def test_a_text_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("x = 1\n")

    with pytest.raises(ValueError, match=r"expected this text once in code\.py, found it 0 times"):
        Mutant("any", "code.py", "y = 1", "y = 2").apply(tmp_path)


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 10
