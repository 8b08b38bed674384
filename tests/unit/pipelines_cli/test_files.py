"""LakeFiles on a local folder."""

import threading

import pytest
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from headrace.errors import Unreachable
from headrace.stores.files import LakeFiles


def test_what_is_written_is_read_listed_and_deleted(tmp_path):
    files = LakeFiles(str(tmp_path / "lake"))
    assert (files.exists(), files.names("a"), files.folders(), files.read_text("a/b")) == (False, [], [], None)
    assert files.write_text("a/b", "é") is True
    assert (files.exists("a/b"), files.names("a"), files.folders(), files.read_text("a/b")) == (True, ["b"], ["a"], "é")
    files.delete("a/b")
    files.delete("a/b")
    assert files.names("a") == []


def test_a_file_is_never_overwritten(tmp_path):
    files = LakeFiles(str(tmp_path))
    assert [files.write_text("x", "one"), files.write_text("x", "two")] == [True, False]
    assert files.read_text("x") == "one"
    assert files.names() == ["x"]


def test_of_many_writers_exactly_one_wins_and_its_text_is_whole(tmp_path):
    files = LakeFiles(str(tmp_path))
    won: list[int] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        if LakeFiles(str(tmp_path)).write_text("x", str(number) * 10_000):
            won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert files.read_text("x") == str(won[0]) * 10_000


def test_a_place_that_cannot_be_used_is_an_error_of_ours(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreachable, match="expected a folder that answers"):
        LakeFiles(str(tmp_path / "file")).write_text("a/b", "x")
    with pytest.raises(Unreachable):
        LakeFiles("nowhere://x").exists()


def test_a_store_that_is_no_local_folder_keeps_the_first_text_too(tmp_path):
    """Stands in for S3: another pyarrow file system, reached through the same calls."""
    files = LakeFiles("s3://bucket/lake")
    files._fs = SubTreeFileSystem(str(tmp_path), LocalFileSystem())
    assert [files.write_text("a/x", "one"), files.write_text("a/x", "two")] == [True, False]
    assert (files.read_text("a/x"), files.names("a"), files.folders()) == ("one", ["x"], ["a"])
