"""What `make test` needs and tells: no server, no Terraform, nothing fetched; whatever is skipped, and why."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
SKIP = re.compile(r"pytest\.skip\(|importorskip\(|pytest\.mark\.skip(?:if)?\(")


def left_out() -> set[str]:
    """Folders of tests/ that `make test` does not run."""
    local = re.search(r"^LOCAL := tests \$\(patsubst %,--ignore=tests/%,(.*?)\)", MAKEFILE, re.MULTILINE)
    assert local
    return set(local[1].split())


def files() -> dict[str, str]:
    """The tests, and what they import from beside them; this file left out."""
    found = {str(file.relative_to(ROOT / "tests")): file.read_text() for file in (ROOT / "tests").rglob("*.py")}
    return {name: text for name, text in found.items() if name != "deploy/test_targets.py"}


def test_what_make_test_runs_uses_no_server_and_no_terraform() -> None:
    assert {"servers", "terraform"} <= left_out()
    ran = {name: text for name, text in files().items() if Path(name).parts[0] not in left_out()}
    assert len(ran) > 100
    outside = re.compile(r"^\s*(?:from|import) (?:servers|terraform)\b|which\(.(?:terraform|node|npm|mvn)", re.M)
    assert [name for name, text in ran.items() if outside.search(text)] == []
    assert [name for name, text in ran.items() if SKIP.search(text)] == [], "what make test skips nobody has tried"


def test_a_test_that_is_skipped_elsewhere_says_what_to_do() -> None:
    skips = [line for text in files().values() for line in text.splitlines() if SKIP.search(line)]
    assert skips
    assert [line for line in skips if not re.search(r"skip\(\"[^\"]+[;.] [^\"]+\"\)", line)] == []


def test_every_target_prints_the_reasons_of_what_was_skipped(tmp_path: Path) -> None:
    options = re.findall(r" (-r\w+) \$\(ARGS\)", MAKEFILE)
    assert options and all(one.startswith("-ra") for one in options), "-rP alone would take the reasons away"
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it(): pytest.skip('no X here; install X')\n")
    for more in (["-n", "2"], ["-raP"]):
        command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
        done = subprocess.run([*command, *more, str(tmp_path)], capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"^SKIPPED \[1\] .*no X here; install X$", done.stdout, re.MULTILINE), done.stdout
