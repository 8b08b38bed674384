"""For `04_people`: who was found in the lake, as rows. Identifiers are masked, ids are shown by their end."""

from collections import Counter
from typing import Any

from headrace.config import Config
from headrace.pipelines.explain import PersonStory, explain
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS
from headrace.tables import PEOPLE, QUARANTINE
from headrace.travel.people import OWN_NUMBER


def by_system(config: Config) -> list[dict[str, Any]]:
    """Of each system its records, and how many of them are one person with a record of another system."""
    found = _records(config)
    systems: dict[str, set[str]] = {}
    for row in found:
        systems.setdefault(row["person"], set()).add(row["record"])
    records = Counter(row["record"] for row in found)
    joined = Counter(row["record"] for row in found if len(systems[row["person"]]) > 1)
    return [{"system": one, "records": records[one], "joined with another's": joined[one]} for one in sorted(records)]


def sizes(config: Config) -> dict[int, int]:
    """By number of records, how many people have as many."""
    records = Counter(row["person"] for row in _records(config))
    return dict(sorted(Counter(records.values()).items()))


def story(config: Config, who: str) -> PersonStory:
    """The one person that an address leads to."""
    (found,) = explain(config, who)
    return found


def record_rows(found: PersonStory) -> list[dict[str, Any]]:
    """A person's records, each with the masked values it is known by that may link it."""
    return [
        {
            "record": one.record,
            "key": one.key,
            "since": f"{one.since:%Y-%m-%d %H:%M}" if one.since else "",
            "known by": ", ".join(f"{each.kind} {each.shown}" for each in one.known_by if each.links),
        }
        for one in found.records
    ]


def link_rows(found: PersonStory) -> list[dict[str, Any]]:
    """What several records of a person have in common, masked."""
    return [{"identifier": name, "records": ", ".join(records)} for name, records in found.links.items()]


def event_rows(found: PersonStory) -> list[dict[str, Any]]:
    """What became of a person, in the order in which it was seen."""
    return [
        {
            "what": one.kind,
            "person": ending(one.person),
            "others": ", ".join(map(ending, one.others)),
            "row that changed": one.cause,
            "by": ", ".join(one.by),
        }
        for one in found.events
    ]


def hubs(config: Config) -> list[dict[str, Any]]:
    """Values that so many records share that they link nobody, by their hash."""
    sql = f"SELECT kind, substr(hash, 1, 8) AS hash, records FROM {ROWS} ORDER BY records DESC"
    return LakeView(config).query(QUARANTINE.path, sql)


def behind_hub(config: Config) -> list[dict[str, Any]]:
    """Everybody who called from the number that the call centre itself has, as people."""
    return [
        {
            "person": one.person[-6:],
            "records": len(one.records),
            "calls": _keys(one, "calls"),
            "shop": _keys(one, "shop"),
        }
        for one in explain(config, OWN_NUMBER)
    ]


def ending(person: str) -> str:
    """The end of an id, by which few people can be told apart."""
    return person[-6:]


def _records(config: Config) -> list[dict[str, Any]]:
    return LakeView(config).query(PEOPLE.path, f"SELECT record, `key`, person FROM {ROWS} WHERE NOT deleted")


def _keys(found: PersonStory, record: str) -> str:
    return ", ".join(one.key for one in found.records if one.record == record)
