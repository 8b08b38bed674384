"""The pages of `headrace serve` in a real browser: chat, ratings, plots, freshness, keyboard, phone, hostile texts."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from web_world import ENVIRON, READERS, XSS, WebWorld

from .chromium import chromium
from .process import Process, free_port, wait_until

PHONE = {"width": 375, "height": 740}
DESK = {"width": 1100, "height": 800}


class Served:
    """A deployment and the process that serves it."""

    def __init__(self, folder: Path, web: str = "") -> None:
        self.world = WebWorld(folder, web)
        now = datetime.now(UTC)
        self.world.measures(now)
        self.world.arrives("a.jsonl")
        self.world.batch(0, now - timedelta(hours=1), "a.jsonl")
        self.world.heartbeat(now - timedelta(hours=1))
        self.world.rejects(now - timedelta(minutes=4))
        self.world.flight("TP123", "DELAYED", now - timedelta(hours=1))
        self.world.boards(widened=True)
        port = free_port()
        command = [sys.executable, "-m", "headrace.cli", "serve", "--config", str(self.world.file), "--port", str(port)]
        path = os.pathsep.join([str(Path(__file__).parents[2] / "lib"), os.environ.get("PYTHONPATH", "")])
        self.process = Process("serve", command, folder, {**ENVIRON, "PYTHONPATH": path})
        self.url = f"http://127.0.0.1:{port}"
        self.process.start()
        self.process.wait_ready(self._answers, 60)

    def _answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.url}/v1/health", timeout=2).status == 200)
        except OSError:
            return False

    def events(self) -> list[dict]:
        files = sorted((self.world.folder / "events").rglob("[!.]*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def stop(self) -> None:
        self.process.stop()
        self.world.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("web"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program, environment = chromium()
    with sync_playwright() as playwright:
        # The sandbox needs a user other than root, which CI does not have.
        found = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], env=environment)
        yield found
        found.close()


class Look:
    """Opens pages; any error of a script, or refusal by the policy, fails the test."""

    def __init__(self, browser: Browser) -> None:
        self._browser, self._pages, self.trouble = browser, list[Page](), list[str]()

    def open(self, url: str, **how) -> Page:
        page = self._browser.new_context(**{"viewport": DESK} | how).new_page()
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("console", lambda said: self.trouble.append(said.text) if said.type == "error" else None)
        page.goto(url)
        self._pages.append(page)
        return page

    def shoot(self, page: Page, name: str) -> None:
        if folder := os.environ.get("HEADRACE_TEST_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    def close(self) -> None:
        for page in self._pages:
            page.context.close()


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    made = Look(browser)
    yield made
    made.close()
    assert made.trouble == []


def ask(page: Page, question: str) -> None:
    before = page.locator("[data-turn]").count()
    page.get_by_label("Question", exact=True).fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("[data-turn]")).to_have_count(before + 1)


def test_a_chat_with_citations_ratings_and_a_correction(served, look):
    page = look.open(f"{served.url}/assistant")
    ask(page, "Does a cello need a seat?")
    expect(page.locator(".answer")).to_contain_text("A cello needs a seat of its own.")
    page.locator(".cite").first.click()
    expect(page.locator("details.item[open]")).to_contain_text("policies")
    page.get_by_role("button", name="Good answer").click()
    expect(page.locator(".done")).to_have_text("Thank you.")
    expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    page.locator("[name=stars][value='4']").check(force=True)
    page.get_by_text("Comment, or correct this answer").click()
    page.get_by_label("Comment", exact=True).fill(f"Fine {XSS}")
    page.get_by_label("A better answer").fill("A cello needs two seats.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("A better answer")).to_have_value("")
    look.shoot(page, "assistant")
    wait_until(lambda: len(served.events()) >= 5, "five events", 20)
    given = {one["kind"]: one["value"] or one["text"] for one in served.events() if one["event"] == "rating"}
    assert given == {"thumbs": 1.0, "stars": 4.0, "comment": f"Fine {XSS}", "correction": "A cello needs two seats."}
    ask(page, "Is TP123 on time?")
    live = page.get_by_label("Live rows")
    expect(live).to_contain_text("changed 3 h ago")
    expect(live.locator(".warn")).to_have_text("stale")
    live.locator("summary").click()
    expect(live.locator(".text")).to_contain_text("DELAYED")
    look.shoot(page, "live")
    page.reload()
    expect(page.locator(".question")).to_have_count(2)


def test_hostile_texts_stay_texts(served, look):
    page = look.open(f"{served.url}/assistant")
    page.get_by_label("Customer").fill("p1")
    ask(page, f"Drum rules {XSS}")
    for one in page.locator("details.item").all():
        one.locator("summary").click()
    expect(page.locator(".turn")).to_contain_text("<script>")
    expect(page.get_by_text("suspicious").first).to_be_visible()
    assert page.locator("main script, main img, main [onerror]").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
    look.shoot(page, "hostile")
    page.goto(f"{served.url}/person")
    page.get_by_label("Id, earlier id or identifier").fill("ada@example.com")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_role("heading", name="p1")).to_be_visible()
    expect(page.locator("main")).to_contain_text("<script>")
    expect(page.get_by_role("cell", name="acme", exact=True)).to_be_visible()
    look.shoot(page, "person")
    assert page.title() == "Person · Headrace"


def test_the_keyboard_is_enough(served, look):
    page = look.open(f"{served.url}/assistant")
    page.keyboard.type("Does a cello need a seat?")
    page.keyboard.press("Enter")
    expect(page.locator("[data-turn]")).to_have_count(1)
    expect(page.get_by_label("Question", exact=True)).to_be_focused()
    reached = set()
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        reached.add(page.evaluate("document.activeElement.name || document.activeElement.tagName"))
    assert {"thumbs", "stars", "SUMMARY", "A"} <= reached
    page.locator(".cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.item[open] summary")).to_be_focused()


def test_measures_are_drawn_and_sliced(served, look):
    page = look.open(f"{served.url}/measures")
    expect(page.locator("svg .line")).to_have_count(1)
    page.get_by_label("By").select_option("model")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("svg .line")).to_have_count(2)
    expect(page.locator("svg .band").first).to_be_attached()
    look.shoot(page, "measures")
    page.get_by_label("Measure").select_option("latency")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("table")).to_contain_text("p95")
    page.get_by_label("Measure").select_option("long_answers")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("main")).to_contain_text("Answers of more than 500 tokens.")
    expect(page.locator("svg .line")).to_have_count(1)
    dark = look.open(f"{served.url}/measures?measure=thumbs_up&by=model", color_scheme="dark", viewport=PHONE)
    look.shoot(dark, "measures-dark-phone")


def test_freshness_goes_stale_and_back_by_itself(served, look):
    page = look.open(f"{served.url}/freshness")
    state = page.locator("#source-feed .state")
    expect(state).to_have_text("ok")
    expect(page.locator("#table-boards")).to_contain_text("only Spark reads its newest change")
    served.world.arrives("b.jsonl")
    expect(state).to_have_text("stale", timeout=30_000)
    look.shoot(page, "freshness")
    served.world.batch(1, datetime.now(UTC), "b.jsonl")
    served.world.heartbeat(datetime.now(UTC))
    expect(state).to_have_text("ok", timeout=30_000)


@pytest.mark.parametrize("path", ["assistant", "freshness", "measures", "person"])
def test_a_phone_shows_it_without_scrolling_sideways_light_and_dark(served, look, path):
    for scheme in ("light", "dark"):
        page = look.open(f"{served.url}/{path}", viewport=PHONE, color_scheme=scheme, has_touch=True)
        if path == "assistant":
            ask(page, "Does a cello need a seat?")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        look.shoot(page, f"{path}-phone-{scheme}")


def test_signing_in_with_a_token_and_out(tmp_path, look):
    served = Served(tmp_path, READERS)
    try:
        page = look.open(f"{served.url}/sign-in")
        page.get_by_label("Token").fill(ENVIRON["OPS"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("header")).to_contain_text("ops")
        look.shoot(page, "signed-in")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()
    finally:
        served.stop()
