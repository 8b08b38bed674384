"""`build_profiles` keeps the identity graph on a Gremlin Server in step, as records change; not on Neptune itself."""

import threading
from pathlib import Path

from headrace.pipelines import apply_changes, build_profiles
from headrace.stores.neptune_graph import NeptuneStore
from people_oracle import read
from people_world import PeopleWorld

from .gremlin import Gremlin
from .identity_graph import edges


def wanted(world: PeopleWorld) -> set[str]:
    """The edges that the tables of people ask for."""
    tables, found = read(world), set()
    for ref, row in tables.people.items():
        if not row["deleted"]:
            found.add(f"has p:{row['person']} r:{ref.record}:{row['own']}")
            for one in row["identifiers"]:
                found.add(f"shows r:{ref.record}:{row['own']} i:{one['kind']}:{one['hash']}")
    return found | {f"alias p:{old} p:{now}" for old, now in tables.aliases.items() if now}


def test_the_job_feeds_the_graph(spark, tmp_path: Path) -> None:
    world = PeopleWorld(tmp_path / "world", seed=8, families=5)
    server = Gremlin(tmp_path / "gremlin")
    store = NeptuneStore(server.settings())
    try:
        server.start()
        world.settings["profiles"]["stores"]["graph"] = {"store": "neptune", "url": server.url, "timeout": "20s"}
        seen = []
        for _ in range(2):
            world.write([*world.records(40), *world.belongings(5)])
            apply_changes.run(world.config, once=True, stop=threading.Event())
            assert build_profiles.run(world.config, once=True, stop=threading.Event()) == 0
            store._connect("")
            seen.append(edges(store))
            assert seen[-1] == wanted(world)
            store.close()
        assert seen[0] - seen[1] and seen[1] - seen[0]
        assert {edge.partition(" ")[0] for edge in seen[1]} == {"has", "shows", "alias"}
    finally:
        store.close()
        server.stop()
