"""Objects on disk and in an S3 made for tests: what a listing shows, what a load tells."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.errors import Unreachable
from headrace.stores import objects
from s3_server import S3, etag, s3_server


@pytest.fixture
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


def test_a_listing_of_s3_goes_through_all_pages_and_names_what_lies_below_the_folder(s3: S3) -> None:
    for key in ("docs/a b+c.md", "docs/deep/ü.md", "docs/", "docs/.hidden/x.md", "docs2/no.md", "docs/drafts/d.md"):
        s3.put("wet", key, key.encode())
    for number in range(1100):
        s3.put("wet", f"docs/n/{number}.md", b"x")
    found = {one.name: one for one in objects.listing("s3://wet/docs", exclude=("drafts/*",))}
    assert len(found) == 1102
    assert found["a b+c.md"].locator == "s3://wet/docs/a b+c.md"
    assert found["deep/ü.md"].tag == etag(b"docs/deep/\xc3\xbc.md")
    assert {one.name for one in objects.listing("s3://wet/")} > {"docs/deep/ü.md", "docs2/no.md"}


def test_a_load_from_s3_tells_the_tag_of_what_was_read_and_spares_what_is_known(s3: S3) -> None:
    tag = s3.put("wet", "docs/a b+c.md", b"one")
    load = objects.loader(["/"])
    assert load("s3://wet/docs/a b+c.md", None) == (tag, b"one")
    assert load("s3://wet/docs/a b+c.md", tag) == (tag, None)
    assert s3.calls[-1][1] == 304, "nothing was sent twice"
    newer = s3.put("wet", "docs/a b+c.md", b"two")
    assert load("s3://wet/docs/a b+c.md", tag) == (newer, b"two")


def test_only_a_missing_object_is_gone_and_not_one_that_is_refused_or_a_missing_bucket(s3: S3) -> None:
    tag = s3.put("wet", "docs/secret.md", b"x")
    s3.refused.add("docs/secret.md")
    load = objects.loader(["/"])
    assert load("s3://wet/docs/none.md", tag) is None
    for place in ("s3://wet/docs/secret.md", "s3://dry/docs/none.md"):
        with pytest.raises(Unreachable, match=place):
            load(place, tag)
    objects.check("s3://wet/docs")
    objects.check("s3://wet/empty")
    with pytest.raises(Unreachable, match="s3://dry/docs"):
        objects.check("s3://dry/docs")


def test_a_file_has_the_tag_its_listing_shows_and_changes_it_when_written(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("one")
    (listed,) = objects.listing(str(tmp_path))
    load = objects.loader(["/"])
    assert load(listed.locator, None) == (listed.tag, b"one")
    assert load(listed.locator, listed.tag) == (listed.tag, None)
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    assert load(listed.locator, listed.tag) == ("1-3", b"two")


def test_nothing_a_folder_where_a_file_was_and_an_impossible_name_are_no_object(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    load = objects.loader(["/"])
    for name in ("none.md", "none/none.md", "folder.md", "zero\0byte.md"):
        assert load(f"{tmp_path}/{name}", None) is None
    objects.check(str(tmp_path))
    with pytest.raises(Unreachable, match="no such folder"):
        objects.check(f"{tmp_path}/none")


def test_what_is_no_document_is_passed_over_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    root.mkdir()
    (root / "good.md").write_text("good")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "inside.md").symlink_to("good.md")
    os.mkfifo(root / "pipe.md")
    Path(os.fsdecode(os.fsencode(root) + b"/bad\xff.md")).write_bytes(b"x")
    assert {one.name for one in objects.listing(str(root))} == {"good.md", "inside.md"}
    assert objects.loader(["/"])(str(root / "pipe.md"), None) is None


def test_what_no_listing_shows_is_not_loaded_either(tmp_path: Path) -> None:
    root, outside = tmp_path / "docs", tmp_path / "outside"
    for folder in (root / "deep", outside):
        folder.mkdir(parents=True)
    (outside / "secret.md").write_text("secret")
    (root / "deep" / "good.md").write_text("good")
    (root / "leak.md").symlink_to("../outside/secret.md")
    (root / "leaks").symlink_to("../outside")
    (root / "again").symlink_to("deep")
    (root / "inside.md").symlink_to("deep/good.md")
    (tmp_path / "way").symlink_to("docs")
    for place in (root, tmp_path / "way"):
        load = objects.loader([str(place)])
        listed = {one.name for one in objects.listing(str(place))}
        assert listed == {"deep/good.md", "inside.md"}
        for name in ("leak.md", "leaks/secret.md", "again/good.md", "../outside/secret.md", "deep/../leak.md"):
            assert load(f"{place}/{name}", None) is None, name
        for name in listed:
            assert load(f"{place}/{name}", None) is not None, name
    assert objects.loader([])(str(root / "deep" / "good.md"), None) is None


@pytest.mark.parametrize("name", ["x" * 300 + ".md", "loop.md"])
def test_a_name_that_cannot_be_is_no_object(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop.md").symlink_to("loop.md")
    assert objects.loader([str(tmp_path)])(f"{tmp_path}/{name}", None) is None
