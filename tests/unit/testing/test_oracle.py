"""The oracle on histories small enough to be checked by eye."""

from headrace.changes.envelope import Change
from headrace.config import History
from headrace.testing import delete, differences, moved, partial, table_truth, truncate, upsert
from headrace.testing.oracle import Version


def rows(*changes: Change) -> dict[str, dict[str, str | None]]:
    truth = table_truth(changes, ["id"])
    return {str(key[0]): {c: v for c, v in row.values.items() if c != "id"} for key, row in truth.rows.items()}


def story(*changes: Change, history: History) -> list[tuple[dict[str, str | None], str, str | None]]:
    """Intervals as (values, at of the start, at of the end): a position at place 7 reads n017."""
    intervals = table_truth(changes, ["id"], history=history).history
    place = {change.position: change.position.split("-")[1][3:] for change in changes}
    return [
        ({c: v for c, v in one.values.items() if c != "id"}, place[one.valid_from], place.get(one.valid_to or ""))
        for one in intervals
    ]


def test_the_newest_upsert_wins_whatever_came_last() -> None:
    assert rows(upsert("t", {"id": 1, "a": "new"}, at=2), upsert("t", {"id": 1, "a": "old"}, at=1)) == {
        "1": {"a": "new"}
    }


def test_a_full_image_that_leaves_a_column_out_makes_it_null() -> None:
    assert rows(upsert("t", {"id": 1, "a": 1, "b": 2}, at=1), upsert("t", {"id": 1, "a": 1}, at=2)) == {
        "1": {"a": "1", "b": None}
    }


def test_a_delete_ends_what_is_older_and_nothing_newer() -> None:
    first, gone, again = upsert("t", {"id": 1}, at=1), delete("t", {"id": 1}, at=2), upsert("t", {"id": 1}, at=3)

    assert rows(gone, first) == {}
    assert rows(again, gone, first) == {"1": {}}
    assert table_truth([again, gone, first], ["id"]).floors == {("1",): gone.position}


def test_at_one_place_an_upsert_beats_a_delete_and_a_delete_beats_a_truncate() -> None:
    row, gone, empty = upsert("t", {"id": 1}, at=1), delete("t", {"id": 1}, at=1), truncate("t", at=1)

    assert rows(row, gone, empty) == {"1": {}}
    assert empty.position < gone.position


def test_a_truncate_spares_only_newer_rows() -> None:
    changes = [upsert("t", {"id": 1}, at=1), upsert("t", {"id": 2}, at=3), truncate("t", at=2)]

    assert rows(*changes) == {"2": {}}
    assert table_truth(changes, ["id"]).truncated == changes[2].position


def test_each_column_comes_from_the_newest_event_that_sent_it() -> None:
    assert rows(
        partial("t", {"id": 1, "a": "a3"}, at=3),
        upsert("t", {"id": 1, "a": "a1", "b": "b1", "c": "c1"}, at=1),
        partial("t", {"id": 1, "b": "b2"}, at=2),
    ) == {"1": {"a": "a3", "b": "b2", "c": "c1"}}


def test_a_value_below_a_delete_is_not_carried_over_it() -> None:
    assert rows(
        upsert("t", {"id": 1, "a": "a1", "b": "b1"}, at=1),
        delete("t", {"id": 1}, at=2),
        partial("t", {"id": 1, "a": "a3"}, at=3),
    ) == {"1": {"a": "a3", "b": None}}


def test_a_key_change_leaves_nothing_under_the_old_key() -> None:
    assert rows(upsert("t", {"id": 1, "a": "x"}, at=1), *moved("t", {"id": 1}, {"id": 2, "a": "x"}, at=2)) == {
        "2": {"a": "x"}
    }


def test_a_dump_deletes_what_it_does_not_show_and_an_older_dump_changes_nothing() -> None:
    older = [upsert("t", {"id": 1, "a": "old"}, at=1, dump=True), upsert("t", {"id": 2, "a": "x"}, at=1, dump=True)]
    newer = [upsert("t", {"id": 1, "a": "new"}, at=2, dump=True)]

    assert rows(*newer, *older) == rows(*older, *newer) == {"1": {"a": "new"}}


def test_a_dump_is_no_gap_in_the_history_of_a_row_it_shows() -> None:
    dumps = [upsert("t", {"id": 1, "a": "same"}, at=at, dump=True) for at in (1, 2)]
    end = upsert("t", {"id": 2, "a": "other"}, at=3, dump=True)
    intervals = table_truth([*dumps, end], ["id"], history=History()).history

    assert [(one.key, one.valid_from, one.current) for one in intervals] == [
        (("1",), dumps[0].position, False),
        (("2",), end.position, True),
    ]


def test_history_opens_an_interval_for_each_change_and_a_repeat_continues_it() -> None:
    assert story(
        upsert("t", {"id": 1, "a": "x"}, at=1),
        upsert("t", {"id": 1, "a": "y"}, at=2),
        upsert("t", {"id": 1, "a": "y"}, at=3),
        delete("t", {"id": 1}, at=4),
        upsert("t", {"id": 1, "a": "y"}, at=5),
        history=History(),
    ) == [({"a": "x"}, "1", "2"), ({"a": "y"}, "2", "4"), ({"a": "y"}, "5", None)]


def test_a_late_change_splits_the_interval_it_belongs_to() -> None:
    early, last = upsert("t", {"id": 1, "a": "x"}, at=1), upsert("t", {"id": 1, "a": "x"}, at=3)
    late = upsert("t", {"id": 1, "a": "y"}, at=2)

    assert story(early, last, history=History()) == [({"a": "x"}, "1", None)]
    assert story(early, last, late, history=History()) == [
        ({"a": "x"}, "1", "2"),
        ({"a": "y"}, "2", "3"),
        ({"a": "x"}, "3", None),
    ]


def test_a_change_in_an_untracked_column_updates_the_interval_in_place() -> None:
    changes = [
        upsert("t", {"id": 1, "a": "x", "b": 1}, at=1),
        partial("t", {"id": 1, "b": 2}, at=2),
        partial("t", {"id": 1, "a": "y"}, at=3),
    ]
    expected = [({"a": "x", "b": "2"}, "1", "3"), ({"a": "y", "b": "2"}, "3", None)]

    assert story(*changes, history=History(track=("a",))) == expected
    assert story(*changes, history=History(ignore=("b",))) == expected


def test_a_truncate_ends_every_open_interval_and_a_stale_delete_ends_none() -> None:
    assert story(
        upsert("t", {"id": 1}, at=2), delete("t", {"id": 1}, at=1), truncate("t", at=5), history=History()
    ) == [({}, "2", "5")]


def test_differences_name_each_key_that_is_wrong_missing_too_much_or_doubled() -> None:
    change = upsert("t", {"id": 1, "a": "x"}, at=1)
    truth = table_truth([change], ["id"], history=History())
    right = (("1",), Version({"id": "1", "a": "x"}, change.position))
    stale = (("1",), Version({"id": "1", "a": "w"}, change.position))
    extra = (("2",), right[1])

    assert differences(truth, [right], truth.history) == {}
    assert list(differences(truth, [], truth.history)) == [("1",)]
    assert list(differences(truth, [stale])) == [("1",)]
    assert list(differences(truth, [right, right])) == [("1",)]
    assert list(differences(truth, [right, extra])) == [("2",)]
    assert list(differences(truth, [right], [])) == [("1",)]
