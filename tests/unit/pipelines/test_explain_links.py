"""What the records of a person have in common, as `explain` tells it."""

from headrace.pipelines.explain import Known, RecordOf, links


def record(key: str, *known: Known) -> RecordOf:
    return RecordOf("shop", key, None, known)


def mail(hash: str, shown: str = "c***@e***.com", **changes: bool) -> Known:
    return Known("email", shown, hash, **{"links": True, "quarantined": False} | changes)


def test_values_that_look_alike_behind_the_mask_are_not_taken_for_one() -> None:
    records = [record("1", mail("aaaaaaaaaa")), record("2", mail("aaaaaaaaaa")), record("3", mail("bbbbbbbbbb"))]
    assert links(records) == {"email c***@e***.com #aaaaaaaa": ("shop 1", "shop 2")}
    assert links([*records, record("4", mail("bbbbbbbbbb"))]) == {
        "email c***@e***.com #aaaaaaaa": ("shop 1", "shop 2"), "email c***@e***.com #bbbbbbbb": ("shop 3", "shop 4"),
    }  # fmt: skip


def test_a_value_is_named_by_its_mask_alone_where_no_other_looks_like_it() -> None:
    records = [record("1", mail("a"), mail("b", "d***@e***.com")), record("2", mail("a"))]
    assert links(records) == {"email c***@e***.com": ("shop 1", "shop 2")}


def test_what_links_nobody_is_not_told() -> None:
    records = [record(key, mail("a", links=False), mail("b", "x", quarantined=True)) for key in "12"]
    assert links(records) == {}
