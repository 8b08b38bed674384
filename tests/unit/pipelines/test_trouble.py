"""The running job where an index's file vanishes, an embedding server answers nobody, and a start finds it away."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from headrace.config import Config
from headrace.errors import Unreachable
from headrace.pipelines import index_knowledge
from headrace.stores.indexes import reader
from unit.embedders.model_server import ModelServer, Reply, model_server, vectors

pytestmark = pytest.mark.deep


class Job:
    """A folder of notes, two index files in a folder of their own, a model behind HTTP."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.notes, self.places, self.server = folder / "notes", folder / "indexes", server
        self.notes.mkdir()
        self.config = Config.model_validate(
            {
                "lake": str(folder / "lake"),
                "knowledge": {
                    "documents": {"notes": {"from": "folder", "path": str(self.notes), "every": "0.2s"}},
                    "indexes": {
                        name: {"store": "sqlite", "path": str(self.places / f"{name}.db")} for name in ("one", "two")
                    },
                    "embed": {"provider": "http", "url": server.url, "model": "m", "dimension": 16, "timeout": "30s"},
                    "trigger": "0.2s",
                },
            }
        )

    def write(self, name: str, text: str) -> None:
        (self.notes / f"{name}.md").write_text(text)

    def served(self) -> list[set[str]]:
        """The texts each index finds."""
        return [{text for text in ("apples", "pears", "plums") if self._finds(name, text)} for name in ("one", "two")]

    def _finds(self, index: str, text: str) -> bool:
        assert self.config.knowledge is not None
        try:
            store = reader(self.config.knowledge.indexes[index])
            found = store.by_words(text, index_filters(), 1)
            store.close()
            return bool(found)
        except Exception:
            return False

    @contextmanager
    def running(self) -> Iterator[list[object]]:
        stop, ended = threading.Event(), list[object]()

        def work() -> None:
            try:
                ended.append(index_knowledge.run(self.config, once=False, stop=stop))
            except BaseException as error:
                ended.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield ended
        finally:
            began = time.monotonic()
            stop.set()
            thread.join(120)
            ended.append(time.monotonic() - began)

    def until(self, wanted: Callable[[], bool], ended: list[object]) -> None:
        deadline = time.monotonic() + 60
        while not wanted():
            assert not ended, ended
            assert time.monotonic() < deadline, self.served()
            time.sleep(0.2)


def index_filters():
    from headrace.ports import Filters

    return Filters()


@pytest.fixture
def job(spark: SparkSession, tmp_path: Path) -> Iterator[Job]:
    with model_server() as server:
        yield Job(tmp_path, server)


def test_two_index_files_that_vanish_together_are_made_and_filled_again(job: Job) -> None:
    job.write("a", "apples")
    with job.running() as ended:
        job.until(lambda: job.served() == [{"apples"}] * 2, ended)
        shutil.rmtree(job.places)
        job.write("b", "pears")
        job.until(lambda: job.served() == [{"apples", "pears"}] * 2, ended)
    assert ended[0] == 0, ended


def test_a_stop_does_not_wait_for_a_server_that_hangs_and_a_start_without_it_still_deletes(job: Job) -> None:
    job.write("a", "apples")
    job.write("b", "pears")
    with job.running() as ended:
        job.until(lambda: job.served() == [{"apples", "pears"}] * 2, ended)
        job.server.answer = lambda call: Reply(wait=60)
        for number in range(70):
            job.write(f"c{number}", f"plums {number}")
        calls = len(job.server.calls)
        job.until(lambda: len(job.server.calls) > calls, ended)
        (job.notes / "a.md").unlink()
        job.until(lambda: job.served() == [{"pears"}] * 2, ended)
    assert ended[0] == 0 and float(ended[1]) < 20, ended  # type: ignore[arg-type]

    job.server.answer = lambda call: Reply(status=500)
    (job.notes / "b.md").unlink()
    with job.running() as ended:
        job.until(lambda: job.served() == [set()] * 2, ended)
        job.server.answer = vectors
        job.until(lambda: job.served() == [{"plums"}] * 2, ended)


def test_a_new_lake_does_not_start_without_its_model(job: Job) -> None:
    job.server.answer = lambda call: Reply(status=500)
    with pytest.raises(Unreachable, match="500"):
        index_knowledge.run(job.config, once=True, stop=threading.Event())
