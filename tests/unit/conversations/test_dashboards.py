"""The file for OpenSearch Dashboards: it is whole, refers to nothing that is not in it, and is always the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.cli import main
from headrace.config_publish import OpenSearchMeasures
from headrace.conversations.dashboards import ndjson, saved_objects
from headrace.conversations.shipped import SHIPPED
from headrace.stores.measures_opensearch import definition

OBJECTS = saved_objects(SHIPPED, "my-measures")
BY_ID = {(one["type"], one["id"]): one for one in OBJECTS}
FIELDS = definition(OpenSearchMeasures.model_validate({"store": "opensearch", "hosts": "http://h:9200"}))["mappings"][
    "properties"
]
HEAD = "lake: ./lake\nsources: {events: {from: files, path: ./e, format: json, position: [at]}}\nfeedback:\n"


def state(plot: dict[str, Any]) -> dict[str, Any]:
    return json.loads(plot["attributes"]["visState"])


def test_there_is_a_pattern_a_plot_of_each_measure_and_a_dashboard() -> None:
    kinds = [one["type"] for one in OBJECTS]
    assert kinds == ["index-pattern", *["visualization"] * len(SHIPPED), "dashboard"]
    assert len(BY_ID) == len(OBJECTS)
    assert OBJECTS[0]["attributes"] == {"title": "my-measures", "timeFieldName": "minute"}
    for measure, plot in zip(SHIPPED, OBJECTS[1:], strict=False):
        params = state(plot)["params"]
        assert params["filter"]["query"] == f'measure: "{measure.name}"'
        assert plot["attributes"]["description"] == measure.definition


def test_every_reference_is_in_the_file_and_every_name_of_one_has_its_reference() -> None:
    for one in OBJECTS:
        names = [each["name"] for each in one["references"]]
        assert len(set(names)) == len(names)
        assert all((each["type"], each["id"]) in BY_ID for each in one["references"])
        source = json.loads(one["attributes"].get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
        panels = json.loads(one["attributes"].get("panelsJSON", "[]"))
        used = [panel["panelRefName"] for panel in panels]
        used += [source["indexRefName"]] if "indexRefName" in source else []
        assert sorted(used) == sorted(names)
    shown = {each["id"] for each in OBJECTS[-1]["references"]}
    assert shown == {one["id"] for one in OBJECTS if one["type"] == "visualization"}


def test_panels_lie_beside_each_other_within_the_page() -> None:
    taken = set[tuple[int, int]]()
    for panel in json.loads(OBJECTS[-1]["attributes"]["panelsJSON"]):
        place = panel["gridData"]
        assert place["i"] == panel["panelIndex"] and place["x"] + place["w"] <= 48
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_a_plot_reads_fields_of_the_index_and_divides_sums() -> None:
    for plot in OBJECTS[1:-1]:
        params = state(plot)["params"]
        assert (params["index_pattern"], params["time_field"]) == ("my-measures", "minute")
        (line,) = params["series"]
        *sums, value = line["metrics"]
        assert all(one["type"] == "sum" and FIELDS[one["field"]]["type"] == "double" for one in sums)
        assert {one["field"] for one in value["variables"]} == {one["id"] for one in sums}
        assert all(f"params.{one['name']}" in value["script"] for one in value["variables"])
        assert line.get("terms_field", "measure") in FIELDS
    split = [state(plot)["params"]["id"] for plot in OBJECTS[1:-1] if "currency" in plot["attributes"]["visState"]]
    assert split == ["cost"]


def test_the_file_is_always_the_same_with_an_object_in_each_line() -> None:
    text = ndjson(SHIPPED, "my-measures")
    assert text == ndjson(iter(SHIPPED), "my-measures") and text.endswith("}\n")
    assert [json.loads(line) for line in text.splitlines()] == OBJECTS


def written(folder: Path, feedback: str) -> str:
    (folder / "headrace.yaml").write_text(HEAD + feedback, encoding="utf-8")
    return str(folder / "headrace.yaml")


OWN = "  sources: [events]\n  measures: {slow: {numerator: seconds > 8}}\n"
ONE = '  publish: {search: {store: opensearch, hosts: ["http://h:9200"], index: mine}}\n'
TWO = ONE.replace("}}", '}, other: {store: opensearch, hosts: ["http://h:9200"]}}')


@pytest.mark.parametrize(
    ("publish", "options", "index"),
    [("", [], "headrace-measures"), (ONE, [], "mine"), (TWO, ["--index", "mine"], "mine")],
)
def test_the_command_takes_the_index_of_the_settings_and_measures_of_your_own(
    publish: str, options: list[str], index: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = written(tmp_path, OWN + publish), tmp_path / "m.ndjson"
    assert main(["dashboards", "--config", file, "--out", str(out), *options]) == 0
    assert main(["dashboards", "--config", file, *options]) == 0
    assert capsys.readouterr().out == out.read_text(encoding="utf-8")
    objects = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert objects[0]["attributes"]["title"] == index and f"{index}-slow" in {one["id"] for one in objects}


@pytest.mark.parametrize(
    ("options", "said"),
    [([], "headrace-measures, mine"), (["--index", "A b"], "A b"), (["--index", "a", "--out", "/none/x"], "/none/x")],
)
def test_what_the_command_cannot_do_is_told(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboards", "--config", written(tmp_path, OWN + TWO), *options]) == 2
    assert said in capsys.readouterr().err
