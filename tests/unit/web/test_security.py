"""What is refused, with which status, and what a hostile text becomes."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headrace import cli
from headrace.commands.serve import check_free, check_place, is_loopback
from headrace.config_file import load
from headrace.errors import ConfigError
from headrace.web.guard import host_of
from headrace.web.readers import Gate, Pace, Who
from headrace.web.words import link, pieces
from web_world import ADA, BOB, ENVIRON, HOOK, OPS, XSS

HTML = {"accept": "text/html"}
ESCAPED = "&lt;script&gt;"


def form_token(client) -> str:
    return re.search(r'name="form_token" value="(\w+)"', client.get("/assistant").text)[1]


def test_without_a_token_every_page_and_call_but_health_is_401(guarded):
    for path in ("/", "/assistant", "/freshness", "/measures", "/person", "/v1/freshness", "/v1/measures?measure=csat"):
        answer = guarded.client.get(path)
        assert (path, answer.status_code) == (path, 401)
    for path in ("/v1/context", "/v1/answers", "/v1/people", "/v1/ratings", "/v1/events/feed"):
        answer = guarded.client.post(path, json={})
        assert (path, answer.status_code) == (path, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert guarded.as_("a wrong token of some length").get("/v1/freshness").status_code == 401
    assert guarded.client.get("/v1/health").status_code == 200
    page = guarded.client.get("/freshness", headers=HTML)
    assert page.status_code == 401 and 'name="token"' in page.text and "www-authenticate" not in page.headers


def test_a_page_that_the_settings_do_not_name_is_403(guarded):
    assert guarded.as_(BOB).get("/freshness").status_code == 403
    assert guarded.as_(BOB).get("/v1/measures?measure=csat").status_code == 403
    assert guarded.as_(HOOK).get("/").status_code == 403
    assert guarded.as_(OPS).get("/freshness").status_code == 200


def test_a_token_is_changed_for_a_cookie_that_ends_with_signing_out(guarded):
    client = guarded.client
    assert client.post("/sign-in", data={"token": "no"}).status_code == 401
    answer = client.post("/sign-in", data={"token": OPS})
    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["set-cookie"] and "samesite=strict" in answer.headers["set-cookie"].lower()
    assert OPS not in answer.headers["set-cookie"]
    assert client.get("/freshness").status_code == 200
    assert client.post("/sign-out", data={"form_token": form_token(client)}).status_code == 303
    assert client.get("/freshness").status_code == 401


def test_a_made_up_or_old_session_is_nobodys(guarded):
    clock = [1_000_000.0]
    gate = Gate(guarded.world.config.web, lambda: clock[0])
    who = gate.by_token(ADA)
    session = gate.session(who)
    assert gate.by_session(session).name == "ada"
    assert gate.by_session(session.replace("ada", "ops")) is None
    assert gate.by_session("ada.9999999999.x.é") is None and gate.by_session("") is None
    clock[0] += 13 * 3600
    assert gate.by_session(session) is None
    assert not gate.genuine(Who("ada", who.sight, "other"), gate.form_token(Who("ada", who.sight, session)))


def test_passages_are_those_of_the_readers_tenant_and_groups_whatever_the_request_says(guarded):
    def found(token: str) -> set[str]:
        body = guarded.as_(token).post("/v1/context", json={"question": "cello"}).json()
        return {item["title"].partition(" > ")[0] for item in body["items"] if item["kind"] == "passage"}

    assert found(ADA) == {"Acme", "Gold"}
    assert found(BOB) == {"Other"}
    assert found(OPS) == {"Bags"}
    for extra in ({"tenant": "other"}, {"audience": ["gold"]}, {"filters": {}}):
        assert guarded.as_(BOB).post("/v1/context", json={"question": "cello", **extra}).status_code == 422


def test_another_tenants_person_is_not_there_and_without_the_page_it_is_refused(guarded):
    ada = guarded.as_(ADA)
    assert ada.post("/v1/people", json={"who": "p1"}).json()["person"] == "p1"
    assert ada.post("/v1/people", json={"who": "p2"}).status_code == 404
    assert ada.post("/v1/people", json={"who": "nobody"}).status_code == 404
    assert ada.post("/v1/people", json={"who": "both@example.com"}).json()["person"] == "p1"
    assert guarded.as_(OPS).post("/v1/people", json={"who": "both@example.com"}).status_code == 409
    assert guarded.as_(BOB).post("/v1/people", json={"who": "p1"}).status_code == 403
    for path in ("/v1/context", "/v1/answers"):
        assert guarded.as_(BOB).post(path, json={"question": "cello", "customer": "p1"}).status_code == 403
        assert ada.post(path, json={"question": "cello", "customer": "p2"}).status_code == 404
    assert guarded.as_(BOB).post("/v1/context", json={"question": "cello"}).json()["person"] == "p2"


def test_each_personal_record_that_is_read_has_a_line_in_the_audit_and_no_identifier(guarded):
    guarded.as_(ADA).post("/v1/people", json={"who": "ada@example.com"})
    guarded.as_(ADA).post("/v1/people", json={"who": "p2"})
    guarded.as_(BOB).post("/v1/answers", json={"question": "cello"})
    lines = [(line["reader"], line["person"], line["what"]) for line in guarded.audited()]
    assert lines == [("ada", "p1", "person"), ("bob", "p2", "profile in an answer")]
    assert "example.com" not in (guarded.world.folder / "audit.jsonl").read_text()


def test_without_an_audit_nothing_is_shown(guarded):
    (guarded.world.folder / "audit.jsonl").mkdir()
    answer = guarded.as_(ADA).post("/v1/people", json={"who": "p1"})
    assert answer.status_code == 503 and "Ada" not in answer.text and str(guarded.world.folder) not in answer.text


def test_a_conversation_is_gone_on_with_by_its_reader_only(guarded):
    told = guarded.as_(ADA).post("/v1/answers", json={"question": "cello"}).json()
    body = {"question": "cello", "conversation": told["conversation"]}
    assert guarded.as_(ADA).post("/v1/answers", json=body).json()["turn"] == 2
    assert guarded.as_(BOB).post("/v1/answers", json=body).status_code == 404
    rating = {"conversation": told["conversation"], "turn": 1, "kind": "thumbs", "value": 1}
    assert guarded.as_(BOB).post("/v1/ratings", json=rating).status_code == 404
    assert guarded.as_(BOB).get(f"/assistant?conversation={told['conversation']}").status_code == 404
    assert guarded.as_(ADA).post("/v1/ratings", json=rating).status_code == 202
    assert guarded.as_(ADA).post("/v1/ratings", json=rating | {"turn": 9}).status_code == 404


def test_a_conversation_about_another_customer_is_a_new_one(guarded):
    first = guarded.as_(OPS).post("/v1/answers", json={"question": "cello", "customer": "p1"}).json()
    body = {"question": "cello", "customer": "p2", "conversation": first["conversation"]}
    second = guarded.as_(OPS).post("/v1/answers", json=body).json()
    assert second["conversation"] != first["conversation"] and second["context"]["turns"] == []


def test_foreign_hosts_and_posts_of_other_sites_are_refused(site):
    assert site.client.get("/assistant", headers={"host": "evil.example"}).status_code == 421
    assert site.client.get("/assistant", headers={"host": "127.0.0.1.evil.example"}).status_code == 421
    assert site.client.get("/assistant", headers={"host": "localhost:8737"}).status_code == 200
    question = {"question": "cello"}
    for headers in (
        {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1:9"},
    ):  # fmt: skip
        assert site.client.post("/v1/context", json=question, headers=headers).status_code == 403
    assert site.client.post("/v1/context", json=question, headers={"origin": "http://127.0.0.1"}).status_code == 200
    assert [host_of(one) for one in ("a:1", "[::1]:8", "[::1]", "A.b")] == ["a", "[::1]", "[::1]", "a.b"]


def test_a_form_that_the_page_did_not_make_is_refused(site, guarded):
    assert site.client.post("/assistant", data={"question": "cello"}).status_code == 403
    assert site.client.post("/person", data={"who": "p1", "form_token": "0" * 64}).status_code == 403
    assert site.client.post("/assistant/ratings", data={"form_token": "é"}).status_code == 403
    client = guarded.client
    client.post("/sign-in", data={"token": ADA})
    assert client.post("/assistant", data={"question": "cello"}).status_code == 403
    assert client.post("/assistant", data={"question": "cello", "form_token": form_token(client)}).status_code == 200


def test_two_readers_with_one_token_are_refused_and_it_is_not_shown(guarded):
    shared = ENVIRON | {name: ADA for name, token in ENVIRON.items() if token == BOB}
    assert shared != ENVIRON and load(guarded.world.file, ENVIRON).web.readers
    with pytest.raises(ConfigError, match=r"a token of its own[\s\S]*not shown") as told:
        load(guarded.world.file, shared)
    assert ADA not in str(told.value) and "web.readers.bob" in str(told.value)


def test_what_is_too_large_of_another_kind_or_no_form_has_its_status(site):
    long = "x" * (1024 * 1024 + 1)
    assert site.client.post("/v1/context", json={"question": long}).status_code == 413
    assert site.client.post("/v1/context", content=(part for part in [b"x" * 600_000] * 2)).status_code == 413
    assert site.client.post("/v1/context", content="question=x").status_code == 415
    assert site.client.post("/v1/events/feed", content="{}", headers={"content-type": "text/plain"}).status_code == 415
    assert site.client.post("/assistant", json={}).status_code == 415
    assert site.client.post("/v1/context", json={"question": "x" * 5_000}).status_code == 422
    assert site.client.post("/v1/context", json={"question": ""}).status_code == 422
    assert site.client.post("/v1/context", json={}).status_code == 422
    assert site.client.get("/v1/measures?measure=thumbs_up&tenant=acme").status_code == 422
    form = {"form_token": form_token(site.client)}
    for text, status in (("x" * 5_000, 422), (long, 413)):
        page = site.client.post("/assistant", data=form | {"question": text}, headers=HTML)
        assert page.status_code == status and page.headers["content-type"].startswith("text/html")
        assert "<h1" in page.text and "at most" in page.text
    assert "error" in site.client.post("/assistant", data=form | {"question": long}).json()
    wrong = site.client.post("/v1/context", json={"question": 1, "secret": XSS})
    assert wrong.status_code == 422 and XSS not in wrong.text


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/static/%00",
     "/v1/events/..%2f..%2fetc", "/v1/events/%2e%2e", "/nothing"],
)  # fmt: skip
def test_tricks_with_paths_find_nothing(site, path):
    call = site.client.post if "events" in path else site.client.get
    given = {"json": {"seq": 1}} if "events" in path else {}
    assert call(path, **given).status_code in (404, 405)
    assert not (site.world.folder / "etc").exists()


def test_too_many_requests_are_told_to_wait(tmp_path):
    seconds = [61.0]
    pace = Pace(2, lambda: seconds[0])
    assert [pace.wait("ada"), pace.wait("ada"), pace.wait("ada"), pace.wait("bob")] == [0, 0, 59, 0]
    seconds[0] = 120.0
    assert pace.wait("ada") == 0


def test_the_limits_of_the_settings_hold(tmp_path):
    from unit.web.conftest import Site

    site = Site(tmp_path, "  per_minute: 3\n  answers_at_once: 1\n")
    try:
        statuses = [site.client.get("/v1/freshness").status_code for _ in range(5)]
        # A minute may begin between two of them.
        assert 429 in statuses and statuses[0] == 200
    finally:
        site.close()


def test_every_answer_has_a_strict_policy_and_no_trace(site, monkeypatch):
    for path in ("/assistant", "/nothing", "/static/page.js", "/v1/health"):
        headers = site.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"] and headers["x-content-type-options"] == "nosniff"
    monkeypatch.setattr(site.opened, "status", lambda: 1 / 0)
    for headers in ({}, HTML):
        answer = site.client.get("/freshness", headers=headers)
        assert answer.status_code == 500 and "ZeroDivision" not in answer.text and "Traceback" not in answer.text


def test_no_template_has_a_script_a_style_or_a_handler_of_its_own():
    folder = Path(__file__).parents[3] / "lib" / "headrace" / "web" / "templates"
    for file in folder.iterdir():
        text = file.read_text()
        assert not re.search(r"\son\w+=|style=|<style|javascript:|\|safe|autoescape", text), file.name
        assert len(re.findall(r"<script", text)) == text.count('<script src="/static/page.js" type="module"></script>')
        assert not re.search(r"(src|href)=\"https?:", text), file.name


def test_hostile_texts_are_shown_as_text(site):
    token = form_token(site.client)
    data = {"question": f"drum rules {XSS}", "form_token": token, "customer": "p1"}
    page = site.client.post("/assistant", data=data).text
    assert page.count(ESCAPED) >= 3 and "<script>document" not in page and "<img src=x" not in page
    assert 'href="javascript' not in page and "suspicious" in page
    person = site.client.post("/person", data={"who": "p1", "form_token": token}).text
    assert ESCAPED in person and "<script>document" not in person
    wrong = site.client.get(f"/measures?measure={XSS}", headers=HTML).text
    assert "<script>document" not in wrong and "<img src=x" not in wrong


def test_links_lead_to_the_web_only_and_only_items_that_are_there_are_cited():
    assert link("https://example.com/a") and link("http://example.com")
    assert not any(map(link, ("javascript:alert(1)", "data:text/html,x", "//example.com", "https:", "http://[", None)))
    assert list(pieces("A [p1], [p2, p9] <b>", ["p1", "p2"])) == [
        ("A ", False), ("p1", True), (", ", False), ("p2", True), ("[p9]", False), (" <b>", False),
    ]  # fmt: skip


def test_beyond_this_machine_it_is_not_bound_without_readers(site, guarded):
    assert [is_loopback(one) for one in ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8")] == [True] * 5
    assert [is_loopback(one) for one in ("0.0.0.0", "::", "example.com", "10.0.0.1")] == [False] * 4
    check_place(site.world.config, "127.0.0.1")
    check_place(guarded.world.config, "0.0.0.0")
    with pytest.raises(ConfigError, match="readers with tokens"):
        check_place(site.world.config, "0.0.0.0")


def test_a_port_in_use_is_told_before_anything_starts(site, capsys, monkeypatch):
    monkeypatch.setenv("KEY", ENVIRON["KEY"])
    check_free("127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ConfigError, match=rf"--port: expected an address and a port .* found 127\.0\.0\.1 {port}: "
        ):
            check_free("127.0.0.1", port)
        assert cli.main(["serve", "--port", str(port), "--config", str(site.world.file)]) == 2
    said = capsys.readouterr().err
    assert "--port" in said and "startup" not in said


def test_it_loads_no_spark():
    code = "import sys, headrace.web.app, headrace.commands.serve; assert 'pyspark' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(Path(__file__).parents[3] / "lib")})
