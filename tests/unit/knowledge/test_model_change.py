"""A change of model while changes flow: readers miss nothing, the old generation stays in step, and a way back."""

import shutil
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from documents_world import empty_lake
from headrace.config import Config
from headrace.config_indexes import SqliteIndex
from headrace.errors import Fatal
from headrace.pipelines import index_knowledge, models, rebuilds
from headrace.pipelines.knowledge_status import KnowledgeStatus, knowledge_status
from headrace.pipelines.models import generation_of
from headrace.pipelines.rebuilds import Kind, Rebuild
from headrace.pipelines.reconcile import Comparison
from headrace.pipelines.tables_view import LakeView
from headrace.pipelines.trace_document import trace_document
from headrace.ports import Filters
from headrace.stores.embedders import embedder
from headrace.stores.files import LakeFiles
from headrace.stores.indexes import reader

pytestmark = pytest.mark.deep


class Site:
    """A folder of pages, its lake and its index."""

    def __init__(self, folder: Path) -> None:
        self.pages, self.index = folder / "pages", folder / "search.db"
        self.pages.mkdir(parents=True, exist_ok=True)
        self.settings: dict[str, Any] = {
            "lake": str(folder / "lake"),
            "knowledge": {
                "documents": {"pages": {"from": "folder", "path": str(self.pages), "every": "0.001s"}},
                "indexes": {"search": {"store": "sqlite", "path": str(self.index)}},
                "embed": {"provider": "static", "dimension": 128},
                "models": {"small": {"provider": "static", "dimension": 64}},
            },
        }
        self.files = LakeFiles(self.settings["lake"])

    def write(self, name: str, text: str) -> None:
        (self.pages / name).write_text(text)

    def config(self) -> Config:
        return Config.model_validate(self.settings)

    def run(self) -> None:
        assert index_knowledge.run(self.config(), once=True, stop=threading.Event()) == 0

    def status(self) -> KnowledgeStatus:
        config = self.config()
        found = knowledge_status(config, LakeView(config))
        assert found is not None
        return found

    def ask(self, kind: Kind, name: str | None = None) -> dict[str, Any]:
        """Ask for a rebuild, run the job, and return the outcome."""
        request = rebuilds.write(self.files, Rebuild(kind, name))
        self.run()
        outcome = rebuilds.outcome_of(self.files, request.file)
        assert outcome is not None
        return outcome

    def found(self, generation: str | None = None, filters: Filters = Filters()) -> set[str]:  # noqa: B008
        """Every text a reader finds in the active generation, or in another."""
        index = reader(SqliteIndex(path=str(self.index)), generation)
        hits = index.by_words("page visa fee bag", filters, 100)
        index.close()
        return {hit.body["text"] for hit in hits}

    def dimension(self) -> int:
        index = reader(SqliteIndex(path=str(self.index)))
        dimension = index.model().dimension
        index.close()
        return dimension

    def generation(self, name: str) -> str:
        embed = self.config().knowledge.all_models()[name]  # type: ignore[union-attr]
        return generation_of(embedder(embed).fingerprint)


@pytest.fixture(scope="module")
def built(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that was run once; each test gets a copy."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(empty_lake(spark), folder / "lake")
    site = Site(folder)
    site.write("a.md", "# A\n\nPage a on visa.\n")
    site.write("b.md", "# B\n\nPage b on fee.\n")
    site.run()
    return folder


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Site:
    return Site(Path(shutil.copytree(built, tmp_path / "site")))


def test_another_model_takes_over_once_it_is_complete_and_the_old_one_can_come_back(site: Site) -> None:
    assert (site.dimension(), site.found()) == (128, {"Page a on visa.", "Page b on fee."})
    site.write("b.md", "# B\n\nPage b on a higher fee.\n")
    assert site.ask("model", "small")["active"] == "small"
    both = {"Page a on visa.", "Page b on a higher fee."}
    assert (site.dimension(), site.found()) == (64, both)
    (site.pages / "a.md").unlink()
    site.run()
    left = {"Page b on a higher fee."}
    assert site.found() == left
    assert site.found(site.generation("embed")) == left, "the old generation is kept in step"
    status = site.status()
    assert {name: (model.role, model.passages) for name, model in status.models.items()} == {
        "small": ("active", 1), "embed": ("before", 1)
    }  # fmt: skip
    assert (status.feeds["pages"].living, status.feeds["pages"].deleted, status.pieces) == (1, 1, 1)
    assert all(index.compared is not None and index.compared.equal and not index.behind for index in status.indexes)
    story = trace_document(site.config(), "pages", "a.md")
    assert story.about is not None and story.about["deleted"] and not story.pieces
    assert {(one["model"], one["deleted"]) for one in story.passages} == {("small", True), ("embed", True)}
    assert all(one["held"] == {"search": "gone"} for one in story.passages)
    assert site.ask("rollback")["active"] == "embed"
    assert (site.dimension(), site.found()) == (128, left)
    assert site.ask("drop", "small")["dropped"] == "small"
    generations = [name for (name,) in sqlite3.connect(site.index).execute("select name from generations")]
    assert generations == [site.generation("embed")]
    assert "refused" in site.ask("rollback"), "there is nothing to go back to any more"


def test_an_index_is_filled_anew_whatever_it_holds(site: Site) -> None:
    connection = sqlite3.connect(site.index)
    with connection:
        connection.execute("update passages_1 set body = replace(body, 'visa', 'nothing') where body like '%visa%'")
        connection.execute("delete from passages_1 where body like '%fee%'")
        columns = "version, deleted, tenant, source, language, changed_at, tags, audience, vector, body"
        connection.execute(f"insert into passages_1 (key, {columns}) select 'extra', {columns} from passages_1 limit 1")
    (index,) = site.status().indexes
    assert index.compared is not None and not index.compared.equal
    assert (index.compared.missing, index.compared.extra, index.compared.old) == (1, 1, 0)
    assert site.ask("index", "search")["filled"] == "search"
    assert site.status().indexes[0].compared == Comparison(wanted=2, held=2, missing=0, extra=0, old=0, pending=0)
    assert site.found() == {"Page a on visa.", "Page b on fee."}
    keys = connection.execute("select key from passages_1 where not deleted").fetchall()
    assert len(keys) == 2
    connection.close()


def test_what_a_feed_says_of_its_documents_later_reaches_those_that_are_indexed(site: Site) -> None:
    made = site.status().models["embed"].vectors
    site.settings["knowledge"]["documents"]["pages"]["audience"] = ["staff"]
    site.run()
    assert site.found() == set(), "nobody who is not in the staff finds them any more"
    assert site.found(filters=Filters(audience=("staff",))) == {"Page a on visa.", "Page b on fee."}
    assert site.status().models["embed"].vectors == made


def test_a_model_changed_in_place_is_refused_and_the_way_is_told(site: Site) -> None:
    site.settings["knowledge"]["embed"]["dimension"] = 256
    with pytest.raises(Fatal, match="headrace rebuild vectors --model NAME"):
        site.run()
    # Under another name it is the same model all the same.
    site.settings["knowledge"]["models"]["old"] = {"provider": "static", "dimension": 128}
    site.run()
    assert site.ask("model", "embed")["active"] == "embed"
    assert site.dimension() == 256
    found = models.read(site.files)
    assert found is not None and found.before is not None and found.before.name == "old"
