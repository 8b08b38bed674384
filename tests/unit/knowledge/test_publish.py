"""The outbox reaches a store, whatever happens on the way."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from documents_world import PAGE, World, gone, publisher, put
from headrace.config_knowledge import SqliteIndex
from headrace.errors import NotThere
from headrace.pipelines import publish
from headrace.ports import Failed, Projected, Written
from headrace.stores.sqlite_index import SqliteVectorIndex


class Moody(SqliteVectorIndex):
    """A store that refuses some rows for a while, or is away."""

    refuses: frozenset[str] = frozenset()
    retry = True

    def write(self, rows: Sequence[Projected]) -> Written:
        refused = [Failed(row.key, row.version, "not now", self.retry) for row in rows if row.key in self.refuses]
        taken = super().write([row for row in rows if row.key not in self.refuses])
        return taken + Written(failed=tuple(refused))


class Shop:
    """A world whose passages are published to one SQLite file."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.parked: list[Failed] = []
        self.open()

    def open(self, owner: str = "this lake") -> None:
        self.store = Moody(SqliteIndex(path=str(self.folder / "search.db")), "g1")
        self.publisher = publisher(self.world, self.store, owner, self.parked.extend, attempts=2)

    def holds(self) -> set[str]:
        return {held.key for held in self.store.held() if not held.deleted}

    def wants(self) -> set[str]:
        return self.world.chunks()


@pytest.fixture(scope="module")
def built(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of two documents; each test gets a copy."""
    folder = tmp_path_factory.mktemp("shop")
    world = World(spark, folder)
    world.take(put("a.md", 1), put("b.md", 2, PAGE + "\n## More\n\nOf b alone.\n"))
    world.settle()
    return folder


@pytest.fixture
def shop(spark: SparkSession, built: Path, tmp_path: Path) -> Shop:
    folder = Path(shutil.copytree(built, tmp_path / "shop"))
    return Shop(World(spark, folder), folder)


def test_what_was_published_is_not_written_again_and_what_a_lost_record_brings_again_is_stale(shop: Shop) -> None:
    assert shop.publisher.run().applied == 7
    assert shop.publisher.run() == Written()
    shop.open()
    assert shop.publisher.run() == Written()
    shop.world.take(gone("a.md", 3))
    shop.world.settle()
    assert shop.publisher.run().applied == 3
    assert shop.holds() == shop.wants()


def test_a_row_the_store_refuses_for_now_is_tried_again_also_after_a_crash_and_then_given_up(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = min(shop.wants())
    shop.store.refuses = frozenset({one})
    shop.publisher.run()
    assert shop.publisher.late == 1
    assert shop.holds() == shop.wants() - {one}
    shop.open()
    shop.publisher.run()
    assert shop.holds() == shop.wants(), "the record did not pass over it"
    shop.world.take(put("a.md", 5, "# New\n\nAll is new."))
    shop.world.settle()
    (new,) = shop.wants() - shop.holds()
    shop.store.refuses = frozenset({new})
    shop.publisher.run()
    monkeypatch.setattr("headrace.pipelines.deliver.time.monotonic", lambda: 1e12)
    shop.publisher.run()
    assert [failed.key for failed in shop.parked] == [new]
    assert shop.publisher.late == 0


def test_a_store_behind_an_outbox_that_is_gone_is_filled_anew_and_swept(shop: Shop) -> None:
    shop.publisher.run()
    lake = shop.world.lake
    shop.world.take(gone("a.md", 3))
    shop.world.settle()
    # Another outbox in its place, as after a restore: its versions count from 0 again.
    shutil.rmtree(Path(lake.root) / "outbox")
    shop.world.lake = lake.__class__(lake.spark, lake.root)
    shop.world.start()
    shop.open()
    shop.publisher.run()
    assert shop.holds() == shop.wants()


def test_a_second_lake_is_refused(shop: Shop) -> None:
    shop.publisher.run()
    shop.open(owner="another lake")
    with pytest.raises(Exception, match=r"search\.db"):
        shop.publisher.run()


def test_after_a_refill_a_new_process_goes_on_from_there(shop: Shop) -> None:
    shop.publisher.run()
    shop.publisher.refill()
    assert shop.publisher.run().applied == 7
    shop.open()
    assert shop.publisher.run() == Written()
    shop.world.take(gone("a.md", 3))
    shop.world.settle()
    assert shop.publisher.run() == Written(applied=3)
    assert shop.holds() == shop.wants()


def test_a_refill_that_a_crash_cut_short_is_begun_again(shop: Shop) -> None:
    shop.publisher.run()
    extra = max(shop.wants())
    shop.store.write([Projected(f"{extra}-extra", 1, True, None), Projected(extra, 1 << 39, True, None)])
    shop.publisher.refill()
    shop.open()
    shop.publisher.run()
    assert shop.holds() == shop.wants()


def test_a_store_that_lost_everything_is_filled_at_the_next_start(shop: Shop) -> None:
    shop.publisher.run()
    shop.store.close()
    remove(shop)
    shop.open()
    shop.publisher.run()
    assert shop.holds() == shop.wants()


@pytest.mark.deep
def test_a_file_that_is_removed_or_replaced_under_the_job_is_made_again(shop: Shop) -> None:
    shop.publisher.run()
    before = shop.folder / "before.db"
    shutil.copy(shop.folder / "search.db", before)
    for change in (lambda: None, lambda: before.rename(shop.folder / "search.db")):
        remove(shop)
        change()
        shop.publisher.refill()
        with pytest.raises(NotThere, match=r"search\.db"):
            shop.publisher.run()
        shop.publisher.made_again()
        shop.publisher.run()
        assert shop.holds() == shop.wants()


def remove(shop: Shop) -> None:
    for file in shop.folder.glob("search.db*"):
        file.unlink()


def test_a_store_that_another_record_wrote_to_is_filled_with_a_higher_epoch(shop: Shop) -> None:
    shop.publisher.run()
    renamed = publisher(shop.world, shop.store, "this lake", place="publishers/other.json")
    assert renamed.run().applied == 7
    shop.world.take(gone("a.md", 3))
    shop.world.settle()
    shop.open()
    shop.publisher.run()
    assert shop.holds() == shop.wants()


@pytest.mark.deep
def test_a_store_that_was_set_back_is_filled_after_a_crash_too(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.publisher.run()
    shop.store.close()
    before = shop.folder / "before.db"
    shutil.copy(shop.folder / "search.db", before)
    shop.open()
    shop.world.take(gone("a.md", 3))
    shop.world.settle()
    shop.publisher.run()
    shop.store.close()
    remove(shop)
    before.rename(shop.folder / "search.db")
    monkeypatch.setattr(publish, "ROWS_AT_ONCE", 2)
    shop.open()
    shop.publisher.run()
    assert shop.publisher.filling
    shop.open()
    while shop.publisher.behind:
        shop.publisher.run()
    assert shop.holds() == shop.wants()
    assert caplog.text.count("does not hold what its record says") == 1, "the second start goes on with it"
