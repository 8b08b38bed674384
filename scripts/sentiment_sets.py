"""Texts with people's ratings, out of the source distribution of vaderSentiment 3.3.2 on PyPI.

Its LICENSE.txt puts the distribution under the MIT License; the sets' own README asks for a citation and states no
other licence: C.J. Hutto and E.E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text", ICWSM 2014. The sentences are others' (reviews, editorials), so none is kept here or shipped.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

SDIST = "vaderSentiment-3.3.2.tar.gz"
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
_INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
_FILES = {
    "tweets": "tweets",
    "movie reviews": "movieReviewSnippets",
    "NYT editorials": "nytEditorialSnippets",
    "Amazon reviews": "amazonReviewSnippets",
}
LEARNED = ("tweets", "movie reviews", "NYT editorials")
UNTOUCHED = "Amazon reviews"


class Rated(NamedTuple):
    """One text.

    Attributes:
        rating: mean of several people's, from -1 to 1.
    """

    text: str
    rating: float


def rated(names: tuple[str, ...], folder: Path | None = None) -> dict[str, list[Rated]]:
    """Those sets.

    Args:
        folder: where the source distribution is; fetched with pip where none is given.
    """
    with tempfile.TemporaryDirectory() as fetched:
        if folder is None:
            folder = Path(fetched)
            command = ["download", "-q", "vaderSentiment==3.3.2", "--no-binary", ":all:", "--no-deps", "-d", fetched]
            subprocess.run([sys.executable, "-m", "pip", *command], check=True)
        content = (folder / SDIST).read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        sys.exit(f"{SDIST}: expected sha256 {SHA256}; found {found}. Fetch it from PyPI again.")
    with tarfile.open(fileobj=io.BytesIO(content)) as outer:
        inner = outer.extractfile(_INNER)
        assert inner
        with tarfile.open(fileobj=io.BytesIO(inner.read())) as sets:
            return {name: _read(sets, f"hutto_ICWSM_2014/{_FILES[name]}_GroundTruth.txt") for name in names}


def _read(sets: tarfile.TarFile, file: str) -> list[Rated]:
    lines = sets.extractfile(file)
    assert lines
    rows = (line.split("\t", 2) for line in lines.read().decode().split("\r\n") if line)
    return [Rated(text, float(rating) / 4) for _, rating, text in rows]
