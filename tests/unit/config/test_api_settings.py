"""Settings of an API: what does not fit is told in a sentence, and no secret with it."""

from typing import Any

import pytest
from pydantic import ValidationError

from headrace.config import Config
from headrace.config_api import apis

URL = "https://api.example/v1/{city}"


def config_of(api: dict[str, Any], **more: Any) -> Config:
    feed = {"from": "files", "path": "/in", "format": "debezium"}
    settings = {
        "lake": "/lake",
        "sources": {"feed": feed, "api": {"from": "api", "keys_from": "hotels", "url": URL, **api}},
        "tables": {"hotels": {"source": "feed", "key": ["id"]}, "weather": {"source": "api", "key": ["city"]}},
    }
    return Config.model_validate(settings | more)


def told(api: dict[str, Any], **more: Any) -> str:
    with pytest.raises(ValidationError) as error:
        config_of(api, **more)
    return str(error.value)


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ({"url": "https://{city}.example/"}, "url: expected an http or https URL whose host is written out"),
        ({"url": "https://api.{city}/"}, "url: expected an http or https URL whose host is written out"),
        ({"url": "ftp://api.example/{city}"}, "url: expected an http or https URL"),
        ({"url": "file:///etc/{city}"}, "url: expected an http or https URL"),
        ({"url": "https://a:b@api.example/{city}"}, "without a login; found another one"),
        ({"url": "https://api.example/"}, "url: expected a URL with {column} for each key column; found none"),
        ({"url": "https://api.example/{city.x}"}, "url: expected a URL with {column} in it"),
        ({"url": "https://api.example/{city"}, "url: expected a URL with {column} in it"),
        ({"url": "https://api.example/#{city}"}, "url: expected a URL without #"),
        ({"url": "https://api.example/{city}/{id}"}, "for each key column of weather (city), and for no other; found"),
        ({"keys_from": "weather"}, "sources.api.keys_from: expected one of the tables (hotels); found weather"),
        ({"keys_from": "rooms"}, "sources.api.keys_from: expected one of the tables (hotels); found rooms"),
        ({"position": "at"}, "position: expected nothing, as Headrace makes these rows itself"),
        ({"table": "x"}, "table: expected nothing, as Headrace makes these rows itself"),
        ({"headers": {"X": "a\r\nY: b"}}, "headers: expected a header on one line"),
        ({"headers": {"X Y": "a"}}, "headers: expected a header on one line"),
        ({"fresh_for": "0s"}, "fresh_for"),
        ({"calls_per_day": 0}, "calls_per_day"),
    ],
)
def test_what_does_not_fit_is_told(api: dict[str, Any], message: str) -> None:
    assert message in told(api)


def test_one_table_for_each_api_and_no_key_that_an_answer_brings() -> None:
    hotels = {"source": "feed", "key": ["id"]}
    two = {"hotels": hotels, "weather": {"source": "api", "key": ["city"]}, "b": {"source": "api", "key": ["city"]}}
    assert "one table for each API; found weather as well" in told({}, tables=two)
    own = {"hotels": hotels, "weather": {"source": "api", "key": ["Body"]}}
    assert "tables.weather.key: expected key columns other than" in told(
        {"url": "https://api.example/{Body}"}, tables=own
    )


def test_keys_may_come_of_a_derived_table_and_an_api_is_no_feed_of_documents() -> None:
    derive = {"places": {"key": ["city"], "sql": "SELECT DISTINCT city FROM hotels", "reach": {
        "hotels": "SELECT city FROM hotels JOIN changed USING (id)"}}}  # fmt: skip
    config = config_of({"keys_from": "places"}, derive=derive)
    assert {table: source for table, (source, _) in apis(config).items()} == {"weather": "api"}
    knowledge = {
        "documents": {"d": {"from": "events", "source": "api"}},
        "indexes": {"p": {"store": "sqlite", "path": "/p.db"}},
    }
    assert "knowledge.documents.d.source: expected one of the sources" in told({}, knowledge=knowledge)
