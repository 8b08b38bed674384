"""A dashboard of measures for OpenSearch Dashboards: saved objects, as its import takes them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from headrace.conversations.measures import Measure

_VERSION = "7.10.0"
"""Of the saved objects' shape: what OpenSearch Dashboards began with, and migrates from."""
_COLUMNS, _WIDTH, _HEIGHT = 3, 16, 10
"""Panels in a row, and a panel's size; a row is 48 wide."""
_PATTERN = "kibanaSavedObjectMeta.searchSourceJSON.index"
"""The name of a visualization's reference to its index pattern."""
_SHARE = "params.denominator > 0 ? params.numerator / params.denominator : null"


def ndjson(measures: Iterable[Measure], index: str) -> str:
    """The file: an object in each line. The same measures and index give the same bytes.

    Args:
        index: that the measures are published to.
    """
    return "".join(json.dumps(one, sort_keys=True) + "\n" for one in saved_objects(list(measures), index))


def saved_objects(measures: Sequence[Measure], index: str) -> list[dict[str, Any]]:
    """The index pattern, a visualization of each measure, and the dashboard that shows them all.

    Their ids are made of the index and the names: to import them again replaces them.
    """
    pattern = _object("index-pattern", f"{index}-pattern", {"title": index, "timeFieldName": "minute"}, [])
    plots = [_visualization(one, index, pattern["id"]) for one in measures]
    return [pattern, *plots, _dashboard(plots, index)]


def _visualization(measure: Measure, index: str, pattern: str) -> dict[str, Any]:
    title = f"{measure.name} ({measure.unit})"
    state = {"title": title, "type": "metrics", "aggs": [], "params": _plot(measure, index)}
    attributes = {
        "title": title, "description": measure.definition, "version": 1, "uiStateJSON": "{}",
        "visState": json.dumps(state, sort_keys=True),
        "kibanaSavedObjectMeta": {"searchSourceJSON": _source({"indexRefName": _PATTERN})},
    }  # fmt: skip
    references = [{"name": _PATTERN, "type": "index-pattern", "id": pattern}]
    return _object("visualization", f"{index}-{measure.name}", attributes, references)


def _plot(measure: Measure, index: str) -> dict[str, Any]:
    """A line over time: the sum of numerators over the sum of denominators, whatever the interval and the filters."""
    return {
        "id": measure.name, "type": "timeseries", "series": [_line(measure)], "time_field": "minute",
        "index_pattern": index, "interval": ">=1m", "drop_last_bucket": 0, "axis_position": "left",
        "axis_formatter": "number", "axis_scale": "normal", "show_legend": 1, "show_grid": 1,
        "filter": {"query": f'measure: "{measure.name}"', "language": "kuery"},
    }  # fmt: skip


def _line(measure: Measure) -> dict[str, Any]:
    variables = [{"id": f"{name}-of", "name": name, "field": name} for name in ("numerator", "denominator")]
    # There is no sum over currencies.
    split = {"split_mode": "terms", "terms_field": "currency", "terms_size": "10"}
    return {
        "id": f"{measure.name}-line", "label": measure.name, "color": "#006BB4",
        "metrics": [
            {"id": "numerator", "type": "sum", "field": "numerator"},
            {"id": "denominator", "type": "sum", "field": "denominator"},
            {"id": "value", "type": "calculation", "variables": variables, "script": _SHARE},
        ],
        **(split if "currency" in measure.dimensions else {"split_mode": "everything"}),
        "formatter": "percent" if measure.unit == "share" else "number",
        "chart_type": "line", "line_width": 2, "point_size": 1, "fill": 0, "stacked": "none", "separate_axis": 0,
        "axis_position": "left",
    }  # fmt: skip


def _dashboard(plots: Sequence[dict[str, Any]], index: str) -> dict[str, Any]:
    panels, references = [], []
    for at, plot in enumerate(plots):
        row, column = divmod(at, _COLUMNS)
        place = {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT, "i": f"{at}"}
        panels.append({
            "version": _VERSION, "panelIndex": f"{at}", "panelRefName": f"panel_{at}", "gridData": place,
            "embeddableConfig": {},
        })  # fmt: skip
        references.append({"name": f"panel_{at}", "type": plot["type"], "id": plot["id"]})
    attributes = {
        "title": f"Headrace: measures of {index}", "hits": 0, "version": 1, "timeRestore": True,
        "description": "Each line is a sum of numerators over a sum of denominators. Filter by model, prompt, "
        "language, intent or channel.",
        "timeFrom": "now-24h", "timeTo": "now", "refreshInterval": {"pause": False, "value": 60000},
        "optionsJSON": json.dumps({"hidePanelTitles": False, "useMargins": True}, sort_keys=True),
        "panelsJSON": json.dumps(panels, sort_keys=True),
        "kibanaSavedObjectMeta": {"searchSourceJSON": _source({})},
    }  # fmt: skip
    return _object("dashboard", f"{index}-dashboard", attributes, references)


def _source(more: dict[str, Any]) -> str:
    return json.dumps({"query": {"query": "", "language": "kuery"}, "filter": [], **more}, sort_keys=True)


def _object(kind: str, id: str, attributes: dict[str, Any], references: list[dict[str, str]]) -> dict[str, Any]:
    return {"type": kind, "id": id, "attributes": attributes, "references": references}
