"""What `04_people` begins with: no Spark."""

import json

from headrace.notebooks import people
from headrace.notebooks.place import make_place


def test_the_story_begins_with_files_of_the_database_and_a_customer_who_refuses() -> None:
    told = people.begin(make_place("", "local"))
    settings = told.config.profiles
    assert settings and settings.related["bookings"].purpose == "offers"
    assert settings.fields["phone"].purpose == "calls"
    messages = [json.loads(line)["value"] for line in _lines(told, "in")]
    tables = {message["payload"]["source"]["table"] for message in messages if message}
    assert tables == {"customers", "bookings"}
    consents = [json.loads(line) for line in _lines(told, "people/consents")]
    assert {(one["purpose"], one["granted"]) for one in consents} == {("calls", False), ("offers", False)}
    assert {one["customer_id"] for one in consents} == {told.asker}


def test_nothing_is_wrong_with_the_records_of_who_is_asked() -> None:
    told = people.begin(make_place("", "local"))
    (group,) = [one for one in told.people.truth(2) if ("shop", str(told.asker)) in one]
    assert group & {record for records in told.people.traps.values() for record in records} == set()
    assert any(record.record == "calls" for record in group) and "@" in people.asker(told)
    assert people.asker(told) not in people.mixed(told) and len(set(people.mixed(told))) == 2


def _lines(told: people.Told, folder: str) -> list[str]:
    return [line for file in (told.place.local / folder).glob("*.jsonl") for line in file.read_text().splitlines()]
