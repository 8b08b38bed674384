"""What pages and API show and take."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from headrace.conversations.events import checked
from headrace.conversations.rates import rate
from headrace.conversations.shipped import SHIPPED
from headrace.errors import Unreachable
from headrace.pipelines.explain import Happened, Known, PersonStory, RecordOf, links
from headrace.web.fresh import trend
from headrace.web.measured import Sums, series
from headrace.web.plot import BOTTOM, HEIGHT, TOP, number_of, plot
from web_world import ADA, HOOK, OPS

MOST = 4_000
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
BY_NAME = {one.name: one for one in SHIPPED}


def form_token(client) -> str:
    return re.search(r'name="form_token" value="(\w+)"', client.get("/assistant").text)[1]


def test_an_answer_has_its_sources_their_age_and_a_conversation_that_goes_on(site):
    token = form_token(site.client)
    page = site.client.post("/assistant", data={"question": "Does a cello need a seat?", "form_token": token}).text
    assert 'class="cite" href="#t1-p1">p1</a>' in page and 'id="t1-p1"' in page and "5 h ago" in page
    assert 'href="https://example.com/bags" rel="noopener noreferrer nofollow"' in page
    conversation = re.search(r'name="conversation" value="(local-\w+)"', page)[1]
    data = {"question": "And a drum?", "form_token": token, "conversation": conversation}
    again = site.client.post("/assistant", data=data).text
    assert "Does a cello need a seat?" in again and 'data-turn="2"' in again
    assert "Does a cello need a seat?" in site.client.get(f"/assistant?conversation={conversation}").text


def test_a_streamed_answer_is_the_same_and_ends_with_how_it_is_shown(site):
    data = {"question": "cello seat", "form_token": form_token(site.client), "customer": "p2"}
    answer = site.client.post("/assistant/answers", data=data)
    assert answer.headers["content-type"].startswith("text/event-stream")
    names = re.findall(r"^event: (\w+)$", answer.text, re.M)
    assert names[-1] == "turn" and set(names[:-1]) == {"piece"}
    html = json.loads(answer.text.rstrip().rpartition("data: ")[2])["html"]
    assert "What is known of the customer" in html and "Bob" in html and "3 days ago" in html
    streamed = site.client.post("/v1/answers", json={"question": "cello seat", "stream": True}).text
    told = json.loads(streamed.rstrip().rpartition("data: ")[2])
    assert told["outcome"] == "answered" and told["citations"] == ["p1"]


def test_ratings_become_events_that_fit_their_description(site):
    token = form_token(site.client)
    told = site.client.post("/v1/answers", json={"question": "cello seat"}).json()
    form = {"form_token": token, "conversation": told["conversation"], "turn": "1"}
    given = {"thumbs": "down", "stars": "2", "comment": "no <b>", "correction": "It needs two seats."}
    assert site.client.post("/assistant/ratings", data=form | given).status_code == 200
    assert site.client.post("/assistant/ratings", data=form).status_code == 422
    assert site.client.post("/assistant/ratings", data=form | {"turn": "x", "thumbs": "up"}).status_code == 422
    body = {"conversation": told["conversation"], "turn": 1, "kind": "stars", "value": 9}
    assert site.client.post("/v1/ratings", json=body).status_code == 422
    turn, *ratings = site.events()
    assert checked(turn).channel == "web" and turn["question"] == "cello seat"
    assert [(one["kind"], one["value"], one["text"], checked(one).rater) for one in ratings] == [
        ("thumbs", -1.0, None, "local"), ("stars", 2.0, None, "local"), ("comment", None, "no <b>", "local"),
        ("correction", None, "It needs two seats.", "local"),
    ]  # fmt: skip


def test_a_conversation_is_rated_and_a_rating_taken_back(site):
    told = site.client.post("/v1/answers", json={"question": "cello seat"}).json()

    def rate(**given):
        return site.client.post("/v1/ratings", json={"conversation": told["conversation"], "kind": "stars"} | given)

    for _ in range(16):
        asked = {"question": "cello seat", "conversation": told["conversation"]}
        assert site.client.post("/v1/answers", json=asked).json()["turn"]
    # The first is not remembered any more; the eighteenth never was.
    assert [rate(turn=turn, value=4).status_code for turn in (None, 1, 17, 18)] == [202, 202, 202, 404]
    assert rate(turn=None, value=4, withdrawn=True).status_code == 422
    taken = rate(turn=None, withdrawn=True)
    assert taken.status_code == 202 and rate(value=4).status_code == 422
    whole, first, last, gone = (one for one in site.events() if one["event"] == "rating")
    assert [one["turn"] for one in (whole, first, last)] == [None, 1, 17]
    assert (gone["operation"], gone["rating_id"], gone["value"]) == ("delete", whole["rating_id"], None)
    assert checked(gone).withdrawn and taken.json()["rating_id"] == whole["rating_id"]


def test_a_withdrawn_turn_cannot_be_rated(site):
    told = [site.client.post("/v1/answers", json={"question": "cello seat"}).json()]
    asked = {"question": "cello seat", "conversation": told[0]["conversation"]}
    told.append(site.client.post("/v1/answers", json=asked).json())
    site.opened.assistant().remembered.withdraw(told[0]["conversation"], 1)
    body = {"conversation": told[0]["conversation"], "kind": "thumbs", "value": 1}
    assert [site.client.post("/v1/ratings", json=body | {"turn": turn}).status_code for turn in (1, 2)] == [404, 202]


def test_a_rating_that_nobody_can_keep_is_not_taken(site, monkeypatch):
    told = site.client.post("/v1/answers", json={"question": "cello seat"}).json()
    monkeypatch.setattr(site.opened.assistant().sink, "send", lambda event: False)
    body = {"conversation": told["conversation"], "turn": 1, "kind": "thumbs", "value": 1}
    answer = site.client.post("/v1/ratings", json=body)
    assert answer.status_code == 503 and "could not be kept" in answer.json()["error"]
    assert "retry-after" in answer.headers


def test_a_turn_that_is_not_remembered_is_counted_all_the_same(site, monkeypatch):
    def away(self, *given, **more):
        raise Unreachable(expected="a store", found="nothing", todo="Wait.")

    asked = {"question": "cello seat", "customer": "p2"}
    first = site.client.post("/v1/answers", json=asked).json()
    monkeypatch.setattr("headrace.conversations.store.Conversations.add", away)
    for _ in range(2):
        told = site.client.post("/v1/answers", json=asked | {"conversation": first["conversation"]}).json()
        assert (told["outcome"], told["turn"], told["conversation"]) == ("answered", None, first["conversation"])
    kept, *lost = [checked(one) for one in site.events()]
    assert (kept.turn, kept.person, kept.question) == (1, "p2", "cello seat")
    assert len({one.conversation for one in (kept, *lost)}) == 3
    for one in lost:
        assert one.conversation.startswith("unremembered-") and (one.turn, one.outcome) == (1, "answered")
        assert (one.person, one.question, one.answer, one.items) == (None, "", "", ())
        assert (one.model, one.tries) == (kept.model, one.tries) and one.seconds is not None


def test_freshness_goes_stale_and_back(site, now):
    site.world.arrives("a.jsonl")
    site.world.batch(0, now - timedelta(hours=1), "a.jsonl")
    site.world.heartbeat(now - timedelta(hours=1))
    site.world.rejects(now)

    def look() -> dict:
        site.opened._status = None
        found = site.client.get("/v1/freshness").json()
        return {(line["kind"], line["name"]): (line["state"], line["behind"], line["trend"]) for line in found["lines"]}

    assert look()["source", "feed"] == ("ok", "0 files", None)
    site.world.arrives("b.jsonl")
    seen = look()
    assert seen["source", "feed"] == ("stale", "1 file", "growing")
    assert seen["job", "apply_changes"][0] == seen["table", "customers"][0] == "stale"
    page = site.client.get("/freshness").text
    assert '<span class="state stale">stale</span>' in page and "bad value" in page
    site.world.batch(1, datetime.now(UTC), "b.jsonl")
    site.world.heartbeat(datetime.now(UTC))
    assert look()["source", "feed"] == ("ok", "0 files", "steady")
    site.world.arrives("c.jsonl")
    assert look()["source", "feed"] == ("behind", "1 file", "growing")


def test_measures_are_sums_with_wilsons_interval_and_of_the_readers_tenant(guarded):
    now = datetime.now(UTC)
    guarded.world.measures(now)
    path = "/v1/measures?measure=thumbs_up&window=7d&by=model"
    both = guarded.as_(OPS).get(path).json()
    assert [one["slice"] for one in both["series"]] == ["m1", "m2"]
    whole = both["series"][0]["whole"]
    found = rate(round(whole["value"] * whole["among"]), whole["among"])
    assert whole["among"] == 144 * 8 and (whole["low"], whole["high"]) == pytest.approx((found.low, found.high))
    assert sum(point["among"] for point in both["series"][0]["points"]) == whole["among"]
    assert [one["slice"] for one in guarded.as_(ADA).get(path).json()["series"]] == ["m1"]
    latency = guarded.as_(OPS).get("/v1/measures?measure=latency&window=7d").json()["series"][0]["whole"]
    assert latency["p95"] == pytest.approx(4.0, rel=0.02)
    assert guarded.as_(OPS).get("/v1/measures?measure=none").status_code == 404
    for wrong in ("by=person", "window=9y"):
        assert guarded.as_(OPS).get(f"/v1/measures?measure=thumbs_up&{wrong}").status_code == 422
    for path in ("/measures", "/measures?measure=latency&by=model", "/measures?measure=sentiment&window=30d"):
        page = guarded.as_(OPS).get(path)
        assert page.status_code == 200 and "<svg" in page.text and 'class="line"' in page.text


def test_own_measures_are_shown_and_those_of_all_tenants_are_kept_from_readers_of_one(guarded):
    now = datetime.now(UTC)
    guarded.world.measures(now)
    path = "measure=long_answers&window=7d"
    told = guarded.as_(OPS).get(f"/v1/measures?{path}").json()
    assert told["definition"] == "Answers of more than 500 tokens." and not told["hidden"]
    (whole,) = told["series"]
    assert (whole["whole"]["value"], whole["whole"]["low"]) == (0.25, None)
    assert "<option selected>long_answers</option>" in guarded.as_(OPS).get(f"/measures?{path}").text
    hidden = guarded.as_(ADA).get(f"/v1/measures?{path}").json()
    assert hidden["hidden"] and hidden["series"] == []
    assert "counted for all tenants together" in guarded.as_(ADA, Accept="text/html").get(f"/measures?{path}").text
    assert "counted for all tenants together" not in guarded.as_(ADA).get("/measures").text


def test_a_table_with_widened_types_is_told_as_far_as_it_can_be_read(site, now):
    site.world.arrives("a.jsonl")
    site.world.batch(0, now, "a.jsonl")
    site.world.boards(widened=True)
    found = site.client.get("/v1/freshness")
    lines = {(line["kind"], line["name"]): line for line in found.json()["lines"]}
    board = lines["table", "boards"]
    assert (board["state"], board["behind"], board["last"]) == ("ok", "2 rows", None)
    assert "a column's type was widened" in board["about"]
    assert lines["table", "customers"]["last"] is not None
    assert "a column&#39;s type was widened" in site.client.get("/freshness").text


def test_a_live_row_is_shown_with_its_age_and_whether_it_is_stale(site, now):
    site.world.flight("TP123", "DELAYED", now)
    found = site.client.post("/v1/context", json={"question": "Is TP123 on time?"}).json()
    (row,) = [one for one in found["items"] if one["kind"] == "row"]
    assert row["stale"] is False and 'status: "DELAYED"' in row["text"]
    data = {"question": "Is TP123 on time?", "form_token": form_token(site.client)}
    page = site.client.post("/assistant", data=data).text
    live = page[page.index('aria-label="Live rows"') :].partition("</section>")[0]
    assert "flights" in live and "changed 2 h ago" in live and "stale" not in live
    site.world.flight("TP123", "CANCELLED", now - timedelta(minutes=6))
    page = site.client.post("/assistant", data=data).text
    live = page[page.index('aria-label="Live rows"') :].partition("</section>")[0]
    assert "CANCELLED" in live and '<span class="tag warn">stale</span>' in live


def test_without_a_lake_pages_say_so(site):
    assert "track_feedback" in site.client.get("/measures").text
    assert site.client.get("/freshness").status_code == 200
    (site.world.folder / "search.db").unlink()
    assert site.client.post("/v1/context", json={"question": "cello"}).status_code in (200, 503)


def test_a_person_is_shown_with_what_they_agreed_to_only(site):
    told = site.client.post("/v1/people", json={"who": "old"}).json()
    assert (told["person"], told["asked"], told["story"], told["left_out"]) == ("p1", "old", None, 1)
    assert {one["name"]: (one["record"], one["key"]) for one in told["fields"]} == {
        "name": ("shop", "1"), "tenant": ("shop", "1"),
    }  # fmt: skip
    assert "Lisboa" not in json.dumps(told)
    data = {"who": "old", "form_token": form_token(site.client)}
    page = site.client.post("/person", data=data).text
    assert ">acme</td>" in page and "1 part is not shown" in page


def test_the_story_of_a_person_is_told_in_words(site, monkeypatch, now):
    mail = Known("email", "a***@e***.com", "hash", True, False)
    records = (RecordOf("shop", "1", now, (mail,)), RecordOf("calls", "7", None, (replace(mail, quarantined=True),)))
    event = Happened(now, "merge", "p1", ("p2",), "shop 1", None, ("email a***@e***.com",), (), "the same address")
    story = PersonStory("p1", ("p2",), records, (event,), ("A note.",), links(records))
    monkeypatch.setattr("headrace.web.people.explain", lambda *_, **__: [story])
    page = site.client.post("/person", data={"who": "p1", "form_token": form_token(site.client)}).text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "shop 1 email a***@e***.com calls 7 email a***@e***.com (shared by too many)" in text
    assert "p1 was found to be one with p2 (the same address): shop 1 changed by email a***@e***.com" in text
    assert "A note." in text
    told = site.client.post("/v1/people", json={"who": "p1"}).json()["story"]
    assert told["events"][0]["others"] == ["p2"] and told["records"][1]["known_by"][0]["quarantined"]


def test_a_webhook_puts_whole_files_where_the_source_reads(guarded):
    hook = guarded.as_(HOOK)
    assert hook.post("/v1/events/feed", json={"seq": 1, "é": "\u2028"}).json() == {"taken": 1}
    assert hook.post("/v1/events/feed", json=[{"seq": 2}, {"seq": 3}]).status_code == 202
    files = sorted((guarded.world.folder / "in").rglob("*.jsonl"))
    assert [json.loads(line)["seq"] for file in files for line in file.read_text().split("\n")[:-1]] == [
        1,
        2,
        3,
    ] and len(files) == 2
    for wrong in ([], {}, [1], {"seq": None}, {"other": 1}, "text"):
        assert hook.post("/v1/events/feed", json=wrong).status_code == 422
    for wrong in (b"{", b'{"seq": NaN}', b"\xff", b"[" * 100_000):
        given = {"content-type": "application/json"}
        assert hook.post("/v1/events/feed", content=wrong, headers=given).status_code == 422
    assert guarded.as_(ADA).post("/v1/events/feed", json={"seq": 1}).status_code == 403
    assert hook.post("/v1/events/unknown", json={"seq": 1}).status_code == 404
    assert len(list((guarded.world.folder / "in").rglob("*"))) == 3


def test_the_api_describes_itself(site):
    paths = site.client.get("/v1/openapi.json").json()["paths"]
    assert set(paths) == {
        "/v1/health", "/v1/context", "/v1/answers", "/v1/ratings", "/v1/freshness", "/v1/measures", "/v1/people",
        "/v1/events/{source}",
    }  # fmt: skip
    for body in ("QuestionBody", "AnswerBody"):
        question = site.client.get("/v1/openapi.json").json()["components"]["schemas"][body]["properties"]["question"]
        assert question["maxLength"] == MOST
    assert f'name="question" rows="2" required maxlength="{MOST}"' in site.client.get("/assistant").text
    statuses = [site.client.post("/v1/context", json={"question": "x" * n}).status_code for n in (MOST, MOST + 1)]
    assert statuses == [200, 422]
    assert site.client.get("/docs").status_code == 404
    for name in ("page.js", "style.css", "icon.svg"):
        assert site.client.get(f"/static/{name}").status_code == 200


def test_a_trend_is_from_the_first_look_to_the_last():
    assert [trend(some) for some in ([], [1], [1, 9, 1], [1, 2], [3, 2])] == [
        None, None, "steady", "growing", "shrinking",
    ]  # fmt: skip


def test_a_plot_breaks_at_gaps_and_stays_inside():
    hour = timedelta(hours=1)
    sums = [Sums(NOW - 8 * hour + step * hour, "a", float(step % 3), 3.0) for step in (0, 1, 5, 6)]
    made = series(sums, BY_NAME["thumbs_up"])
    drawn = plot(made, "share", NOW - 8 * hour, NOW, hour)
    (curve,) = drawn.curves
    assert curve.line.count("M") == curve.band.count("M") == 2
    assert all(TOP <= dot.y <= HEIGHT - BOTTOM for dot in curve.dots) and all(dot.faint for dot in curve.dots)
    below = plot(series([Sums(NOW, "a", -0.8, 1.0)], BY_NAME["sentiment"]), "mean", NOW - hour, NOW, hour)
    assert below.levels[0].says == "-1" and TOP <= below.curves[0].dots[0].y <= HEIGHT - BOTTOM
    assert plot((), "share", NOW - hour, NOW, hour).curves == ()
    assert [number_of(one, "share") for one in (None, 0.0, 0.034, 0.5, 1.0)] == ["-", "0 %", "3.4 %", "50 %", "100 %"]
