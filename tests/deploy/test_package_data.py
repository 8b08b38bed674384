"""Every file beside the code is in the wheel."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_data_file_of_the_package_is_built(tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "-q", "build", "--build-base", str(tmp_path), "--build-lib", str(tmp_path)]
    done = subprocess.run([*command, "build_py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    package = [file for file in (ROOT / "lib" / "headrace").rglob("*") if file.is_file()]
    wanted = {str(file.relative_to(ROOT / "lib")) for file in package if "__pycache__" not in file.parts}
    built = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert "headrace/travel/documents/pets.md" in wanted
    assert wanted - built == set()
