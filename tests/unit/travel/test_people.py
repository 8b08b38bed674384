"""The two systems beside the database: which traps their rows set, and that the truth fits them."""

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from headrace.travel.agency import Agency
from headrace.travel.columns import Row
from headrace.travel.people import ACTS, JUNK_NUMBER, ON_OWN_NUMBER, OWN_NUMBER, People
from headrace.travel.systems import RecordKey, as_groups

WRITTEN = {"callers": (1, 2, 3), "devices": (1, 3)}
SEEDS = range(7, 12)


@pytest.fixture(scope="module")
def agency() -> Agency:
    return Agency(7)


@pytest.fixture(scope="module")
def people(agency: Agency) -> People:
    return People.of(agency.database)


def last(people: People, record: RecordKey, act: int) -> Row:
    """The newest row of a record when an act is over, by its time."""
    rows = [one.row for one in people.told if one.record == record and one.act <= act]
    return max(rows, key=lambda row: str(row["changed_at"]))


def trap(people: People, name: str, act: int = 0) -> list[Row]:
    return [last(people, record, act) for record in people.traps[name]]


def together(people: People, act: int, *records: RecordKey) -> bool:
    return any(set(records) <= group for group in people.truth(act))


def digits(value: object) -> str:
    return "".join(sign for sign in str(value) if sign.isdigit())


def test_a_family_shares_an_address_and_is_two_people(people: People) -> None:
    one, other = trap(people, "family")
    assert one["email"] == other["email"] is not None
    assert one["first_name"] != other["first_name"] and one["born"] != other["born"]
    assert not together(people, 2, *people.traps["family"])


def test_a_number_is_given_away_again_to_somebody_of_the_same_first_name(people: People) -> None:
    one, other = trap(people, "recycled")
    assert (one["phone"], one["first_name"]) == (other["phone"], other["first_name"])
    assert one["born"] != other["born"]
    assert not together(people, 2, *people.traps["recycled"])


def test_twins_share_all_but_the_first_name(people: People) -> None:
    one, other = trap(people, "twins")
    assert [name for name in ("first_name", "family_name", "born", "phone") if one[name] != other[name]] == [
        "first_name"
    ]
    assert not together(people, 2, *people.traps["twins"])


@pytest.mark.parametrize(("name", "number", "count"), [("junk", JUNK_NUMBER, 4), ("own number", OWN_NUMBER, 14)])
def test_numbers_that_say_nothing_are_shared_by_people_of_one_first_name(
    people: People, name: str, number: str, count: int
) -> None:
    rows = trap(people, name)
    assert [row["phone"] for row in rows] == [number] * count
    nameless = Counter(row["first_name"] for row in rows if row["born"] is None)
    assert max(nameless.values()) >= 4
    records = people.traps[name]
    assert not any(together(people, 2, one, other) for one in records for other in records if one != other)


def test_more_callers_than_the_rules_allow_have_the_call_centres_own_number() -> None:
    assert ON_OWN_NUMBER > 10


def test_somebody_with_a_new_name_is_the_same_person(people: People) -> None:
    first, second = people.traps["new name"]
    one, other = last(people, first, 0), last(people, second, 1)
    assert one["family_name"] != other["family_name"]
    assert digits(one["phone"]) == digits(other["phone"]) and one["born"] == other["born"]
    assert together(people, 1, first, second)
    assert not any(second in group for group in people.truth(0))


def test_a_device_belongs_to_the_wrong_account_until_it_is_put_right(people: People) -> None:
    (device,) = people.traps["wrong account"]
    accounts = [last(people, device, act)["customer_id"] for act in range(ACTS)]
    assert accounts[0] == accounts[1] != accounts[2]
    for act in range(ACTS):
        assert together(people, act, device, RecordKey("shop", str(accounts[act])))


def test_a_wrong_birth_date_hides_a_caller_until_it_is_put_right(people: People, agency: Agency) -> None:
    (caller,) = people.traps["wrong birth date"]
    assert frozenset({caller}) in people.truth(0)
    (group,) = [group for group in people.truth(1) if caller in group]
    (key,) = [int(one.key) for one in group if one.record == "shop"]
    customer = agency.database.rows["customers"][(key,)]
    assert last(people, caller, 0)["born"] != customer["born"] == last(people, caller, 1)["born"]
    # The mistake comes once more, and is older than what was put right.
    assert [one.late for one in people.told if one.record == caller] == [False, False, True]
    assert last(people, caller, 2)["born"] == customer["born"]


def test_a_wrong_number_makes_two_customers_one_until_it_is_put_right(people: People, agency: Agency) -> None:
    (first, second), (one, other) = people.traps["wrong number"], people.mixed
    rows = agency.database.rows["customers"]
    assert str(rows[one]["name"]).split()[0] == str(rows[other]["name"]).split()[0]
    assert str(rows[one]["joined_at"]) < str(rows[other]["joined_at"])
    assert people.mixed_address == rows[other]["email"] == last(people, second, 1)["email"]
    numbers = [[digits(last(people, record, act)["phone"]) for record in (first, second)] for act in range(ACTS)]
    assert [pair[0] == pair[1] for pair in numbers] == [False, True, False]
    both = [RecordKey("shop", str(key[0])) for key in people.mixed]
    assert [together(people, act, *both) for act in range(ACTS)] == [False, True, False]


def test_a_deleted_device_is_in_the_truth_no_more(people: People) -> None:
    (device,) = people.traps["gone"]
    assert [any(device in group for group in people.truth(act)) for act in range(ACTS)] == [True, True, False]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_is_one_persons_and_every_customer_somebody(seed: int) -> None:
    agency = Agency(seed)
    people = People.of(agency.database, seed)
    gone = set(people.traps["gone"])
    for act in range(ACTS):
        records = [record for group in people.truth(act) for record in group]
        known = {one.record for one in people.told if one.act <= act} - (gone if act == 2 else set())
        shop = {RecordKey("shop", str(key[0])) for key in agency.database.rows["customers"]}
        assert len(records) == len(set(records)) and set(records) == known | shop
        accounts = [sum(record.record == "shop" for record in group) for group in people.truth(act)]
        assert max(accounts) == (2 if act == 1 else 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_decides_everything(seed: int) -> None:
    assert People.of(Agency(seed).database, seed).told == People.of(Agency(seed).database, seed).told


def test_acts_are_written_as_files_of_each_system(people: People, tmp_path: Path) -> None:
    counts = [people.write(act, tmp_path) for act in range(ACTS)]
    assert counts == [sum(one.act == act for one in people.told) for act in range(ACTS)]
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jsonl"))
    assert files == [f"{table}/act-{act}.jsonl" for table, acts in WRITTEN.items() for act in acts]
    rows = [json.loads(line) for line in (tmp_path / "callers" / "act-1.jsonl").read_text("utf-8").splitlines()]
    assert len({row["changed_at"] for row in rows}) == len(rows)
    assert all(date.fromisoformat(row["born"]) for row in rows if row["born"])


def test_records_are_grouped_by_person() -> None:
    found = as_groups([("shop", "1", "A"), ("calls", "c1", "A"), ("shop", "2", "B")])
    assert found == {frozenset({RecordKey("shop", "1"), RecordKey("calls", "c1")}), frozenset({RecordKey("shop", "2")})}
