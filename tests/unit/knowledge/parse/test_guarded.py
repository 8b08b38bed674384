"""The helper process: kept, replaced, never shared."""

import os
import threading

import pytest

from headrace.config_knowledge import Parse
from headrace.errors import Retryable
from headrace.knowledge.parse import guarded

from .builders import read, reason


def helper_id() -> int:
    helper = guarded._keeper._helper
    assert helper is not None
    return helper._process.pid


def test_one_helper_serves_many_documents() -> None:
    read("<p>one", "a.html")
    first = helper_id()
    reason(b"%PDF-1.7", "a.pdf")
    assert (read("<p>two", "a.html").text, helper_id()) == ("two", first)


def test_a_helper_that_was_killed_is_replaced_and_the_document_read() -> None:
    read("<p>one", "a.html")
    first = helper_id()
    os.kill(first, 9)
    assert read("<p>two", "a.html").text == "two"
    assert helper_id() != first


def test_a_helper_of_a_large_worker_is_kept() -> None:
    ballast = b"x" * 700_000_000
    guarded._keeper.stop()
    read("<p>one", "a.html")
    first = helper_id()
    del ballast
    read("<p>two", "a.html")
    assert helper_id() == first


def test_a_document_that_kills_its_helper_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(self: guarded._Helper, question: bytes, seconds: float) -> bytes:
        raise ConnectionError("gone")

    monkeypatch.setattr(guarded._Helper, "ask", crash)
    assert reason(b"<p>x", "a.html") == "not readable"


def test_a_helper_that_cannot_start_is_no_fault_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded._keeper.stop()
    monkeypatch.setattr(guarded.sys, "executable", "/nowhere/python")
    with pytest.raises(Retryable):
        read("<p>x", "a.html")


def test_threads_get_their_own_answers() -> None:
    found: dict[int, str] = {}
    threads = [
        threading.Thread(target=lambda at=at: found.update({at: read(f"<p>text {at}", "a.html").text}))
        for at in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {at: f"text {at}" for at in range(8)}


# Python 3.12 warns of any thread, such as those of numpy.
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_worker_has_a_helper_of_its_own() -> None:
    read("<p>one", "a.html")
    ours = helper_id()
    child = os.fork()
    if child == 0:
        try:
            fine = read("<p>two", "a.html").text == "two" and helper_id() != ours
            guarded._keeper.stop()
        except BaseException:
            fine = False
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (read("<p>three", "a.html").text, helper_id()) == ("three", ours)


def test_small_plain_documents_need_no_helper() -> None:
    guarded._keeper.stop()
    read("Text", "a.md")
    assert guarded._keeper._helper is None
    read("Text. " * 10_000, "a.md", None, Parse())
    assert guarded._keeper._helper is not None
