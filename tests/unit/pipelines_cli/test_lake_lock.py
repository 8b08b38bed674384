import subprocess
import sys
from pathlib import Path

import pytest

from headrace.errors import Fatal
from headrace.stores.lake_lock import only_run

HOLD = """
import sys
from headrace.stores.lake_lock import only_run
with only_run(sys.argv[1], "j"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_on_a_lake_is_refused_until_the_first_has_ended_even_by_a_kill(tmp_path: Path) -> None:
    lake = str(tmp_path / "lake")
    command = [sys.executable, "-c", HOLD, lake]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(Fatal, match=f"process {other.pid}"), only_run(lake, "j"):
            pass
        with only_run(lake, "another job"):
            pass
        other.kill()
    with only_run(lake, "j"):
        pass
