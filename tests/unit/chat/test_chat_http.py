"""Chat completions over HTTP from a real server on this machine that misbehaves in every way we know of."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from headrace.config_chat import OpenAiChat
from headrace.errors import ConfigError, Fatal, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.ports_chat import ChatEnd, Form
from headrace.stores import chat_events
from headrace.stores.chat_events import events, pieces
from headrace.stores.chat_http import HttpChatModel
from unit.chat.openai_stream import chunk, sse
from unit.chat.requests import read, request
from unit.embedders.model_server import ModelServer, Reply

KEY = "sk-very-secret"
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}
STREAM = {"Content-Type": "text/event-stream; charset=utf-8"}


WHOLE = sse(chunk("Sixty "), chunk("euró [p1]"), chunk("", "stop"), {"choices": [], "usage": USAGE})


@pytest.fixture
def made(server: ModelServer) -> Callable[..., HttpChatModel]:
    def model(longest: float = 5.0, **more: object) -> HttpChatModel:
        given = {"provider": "openai", "url": server.url, "model": "m", "key": KEY, **more}
        return HttpChatModel(OpenAiChat.model_validate(given), silence=0.5, longest=longest)

    return model


def streams(*parts: bytes, **more: Any) -> Callable[[object], Reply]:
    return lambda call: Reply(headers=STREAM, parts=parts, **more)


def test_pieces_come_one_by_one_and_then_the_end_with_its_tokens(server, made):
    server.answer = streams(WHOLE)
    assert list(made().stream(request())) == ["Sixty ", "euró [p1]", ChatEnd("done", 12, 3, 8)]


def test_the_request_has_model_messages_limits_key_and_headers(server, made):
    server.answer = streams(WHOLE)
    read(made(headers={"X-Team": "travel", "X-Token": SecretStr("hidden")}, max_tokens=9, temperature=0.2))
    (call,) = server.calls
    assert call.path == "/v1/chat/completions"
    asked = [{"role": "system", "content": "Cite as [p1]."}, {"role": "user", "content": "What does a visa cost?"}]
    assert call.body == {
        "model": "m", "messages": asked, "max_tokens": 9, "temperature": 0.2, "stream": True,
        "stream_options": {"include_usage": True},
    }  # fmt: skip
    sent = [call.headers[name] for name in ("authorization", "x-team", "x-token")]
    assert sent == [f"Bearer {KEY}", "travel", "hidden"]


def test_what_a_server_does_not_know_can_be_left_out(server, made):
    server.answer = streams(WHOLE)
    read(made(count_tokens=False, length_field="max_completion_tokens"))
    assert server.calls[0].body["max_completion_tokens"] == 1024
    assert {"max_tokens", "stream_options", "temperature"} & set(server.calls[0].body) == set()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_parts_may_cut_a_line_a_letter_and_a_line_end(server, made, size):
    content = WHOLE.replace(b"\n", b"\r\n")
    server.answer = streams(*(content[at : at + size] for at in range(0, len(content), size)))
    assert read(made()) == ("Sixty euró [p1]", ChatEnd("done", 12, 3, 8))


@pytest.mark.parametrize("stream", [True, False])
def test_a_server_that_does_not_stream_answers_in_one_piece(server, made, stream):
    body = {"choices": [{"message": {"content": "Sixty.", "refusal": None}, "finish_reason": "stop"}], "usage": USAGE}
    content = json.dumps(body, indent=2).encode()
    server.answer = lambda call: Reply(body=content, headers={"Content-Type": "application/json"})
    assert list(made(stream=stream).stream(request())) == ["Sixty.", ChatEnd("done", 12, 3, 8)]
    assert server.calls[0].body["stream"] is stream


@pytest.mark.parametrize(
    ("chunks", "text", "ended"),
    [
        ([chunk("cut", "length")], "cut", "length"),
        ([chunk("", "content_filter")], "", "refused"),
        (
            [chunk("", refusal="I will not "), chunk("", refusal="say."), chunk("", "stop")],
            "I will not say.",
            "refused",
        ),
        ([chunk("", role="assistant"), chunk("ok")], "ok", "done"),
        ([{"choices": []}, {"choices": [{"delta": {"content": None}}]}, chunk("ok", "stop")], "ok", "done"),
        ([{"choices": [{"delta": {"content": [{"type": "text", "text": "ok"}]}}]}], "ok", "done"),
        ([chunk("", "stop")], "", "done"),
    ],
)
def test_every_way_to_end_means_one_thing_to_us(server, made, chunks, text, ended):
    server.answer = streams(sse(*chunks))
    assert read(made()) == (text, ChatEnd(ended))


def test_one_model_answers_several_threads_each_with_its_own_answer(server, made):
    server.answer = lambda call: Reply(
        headers=STREAM, parts=(sse(chunk(call.body["messages"][-1]["content"], "stop")),)
    )
    model = made(longest=30.0)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: read(model, request(f"question {number}"))[0], range(40)))
    assert found == [f"question {number}" for number in range(40)]


def test_comments_and_other_fields_of_a_stream_are_passed_over(server, made):
    server.answer = streams(b": ping\n\nevent: x\nid: 1\nretry: 3\n" + WHOLE)
    assert read(made())[0] == "Sixty euró [p1]"


def test_a_letter_in_two_halves_is_put_together_and_bad_bytes_show_as_such(server, made):
    halves = b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n'
    content = halves % b"a\\ud83d" + halves % b"\\ude00b" + halves % b"\xff\xfe" + halves % b"\\ud83d"
    server.answer = streams(content + sse(chunk("", "stop")))
    text = read(made())[0]
    assert text == "a\U0001f600b\ufffd\ufffd\ufffd" and text.encode()


@given(text=st.text(max_size=40), cuts=st.lists(st.integers(1, 30), min_size=1, max_size=20), ascii=st.booleans())
def test_however_the_bytes_are_cut_the_text_is_the_same(text, cuts, ascii):
    plain = text.encode("utf-8", "replace").decode()
    lines = [f"data: {json.dumps(chunk(one), ensure_ascii=ascii)}\n\n" for one in plain]
    content, parts, at = ("".join(lines) + "data: [DONE]\n\n").encode(), [], 0
    while at < len(content):
        size = cuts[len(parts) % len(cuts)]
        parts.append(content[at : at + size])
        at += size
    *found, end = pieces(events(parts, "here"), "here")
    assert "".join(map(str, found)) == plain and end == ChatEnd("done")


@pytest.mark.parametrize(
    ("status", "said", "headers", "kind"),
    [
        (429, b"slow down", {"Retry-After": "7"}, Throttled),
        (429, b"slow down", {}, Throttled),
        (503, b"busy", {"Retry-After": "7"}, Throttled),
        (503, b"busy", {}, Unreachable),
        (429, b'{"error": {"code": "insufficient_quota"}}', {}, Fatal),
        (500, b"oh", {}, Unreachable), (529, b"overloaded", {}, Unreachable), (408, b"slow", {}, Unreachable),
        (400, b'{"error": {"code": "context_length_exceeded"}}', {}, Unacceptable), (413, b"", {}, Unacceptable),
        (401, b"no", {}, Fatal), (403, b"no", {}, Fatal), (404, b"no such model", {}, Fatal), (301, b"", {}, Fatal),
    ],
)  # fmt: skip
def test_every_status_means_one_thing_to_us(server, made, status, said, headers, kind):
    server.answer = lambda call: Reply(status, said, headers)
    with pytest.raises(kind, match=f"found {status}") as caught:
        read(made())
    assert isinstance(caught.value, Throttled) is (kind is Throttled)
    if kind is Throttled:
        assert caught.value.retry_after == (7.0 if headers else None)


@pytest.mark.parametrize(
    ("said", "todo"), [(b"use 'max_completion_tokens' instead", "length_field"), (b"stream_options?", "count_tokens")]
)
def test_what_a_server_does_not_know_is_told_with_the_setting_that_helps(server, made, said, todo):
    server.answer = lambda call: Reply(400, said)
    with pytest.raises(Unacceptable, match=f"Set assistant.model.{todo}"):
        read(made())


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"error": {"message": "out of memory", "code": 500}}, Retryable),
        ({"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}, Throttled),
        ({"error": {"type": "overloaded_error"}}, Throttled),
        ({"error": "the context length is too long"}, Unacceptable),
    ],
)
def test_an_error_within_the_stream_comes_after_what_was_said(server, made, told, kind):
    server.answer = streams(sse(chunk("Sixty "), told))
    stream = made().stream(request())
    assert next(stream) == "Sixty "
    with pytest.raises(kind, match="an error in the stream"):
        next(stream)


@pytest.mark.parametrize("cut", [True, False], ids=["hangs up", "ends"])
def test_a_stream_that_breaks_is_not_taken_for_an_answer(server, made, cut):
    server.answer = streams(sse(chunk("Sixty "), done=False), cut=cut)
    stream = made().stream(request())
    assert next(stream) == "Sixty "
    with pytest.raises(Unreachable, match="an answer to its end"):
        next(stream)


def test_a_stream_that_breaks_after_its_end_is_an_answer_without_tokens(server, made):
    server.answer = streams(sse(chunk("Sixty", "stop"), done=False), cut=True)
    assert read(made()) == ("Sixty", ChatEnd("done"))


@pytest.mark.parametrize("content", [b"data: <html>\n\n", b"data: []\n\n", b"data: {\n\n", b"{]\n", b"data: 3\n\n"])
def test_what_is_no_event_of_an_answer_is_worth_another_try(server, made, content):
    server.answer = streams(content)
    with pytest.raises(Retryable, match="JSON objects of a chat completion"):
        read(made())


def test_a_call_of_a_tool_that_was_never_offered_is_no_answer(server, made):
    server.answer = streams(sse(chunk("", "tool_calls", tool_calls=[{"id": "1"}])))
    with pytest.raises(Retryable, match="no tool was offered"):
        read(made())


def test_a_silent_server_and_one_that_hangs_up_are_away(server, made):
    for reply in (Reply(wait=30), Reply(close=True)):
        server.answer = lambda call, reply=reply: reply
        with pytest.raises(Unreachable):
            read(made())


def test_a_server_that_drips_is_left_though_no_byte_is_late(server, made):
    server.answer = streams(*[b":"] * 1000, drip=0.02)
    with pytest.raises(Unreachable, match=r"one that still comes after 0\.2 s"):
        read(made(longest=0.2))


@pytest.mark.parametrize(
    ("content", "limit"), [(b": ping\n" * 40, "LARGEST"), (b"data: " + b"x" * 200, "LONGEST_LINE")]
)
def test_an_answer_without_an_end_is_left_at_a_size(server, made, monkeypatch, content, limit):
    monkeypatch.setattr(chat_events, limit, 150)
    server.answer = streams(content)
    with pytest.raises(Retryable, match="an answer of at most 150 bytes"):
        read(made())


@pytest.mark.parametrize("status", [401, 400, 500])
def test_a_server_that_repeats_the_secrets_does_not_make_us_show_them(server, made, status):
    server.answer = lambda call: Reply(status, f"bad key {KEY} or token hidden".encode())
    model = made(headers={"X-Token": SecretStr("hidden")})
    with pytest.raises((Fatal, Unacceptable, Unreachable)) as caught:
        read(model)
    assert "bad key *** or token ***" in str(caught.value)
    assert KEY not in str(caught.value) and KEY not in repr(model) and caught.value.__cause__ is None


def test_a_login_in_the_url_does_not_show_and_another_scheme_is_refused(server, made):
    server.answer = lambda call: Reply(500)
    with pytest.raises(Unreachable) as caught:
        read(made(url=server.url.replace("//", "//me:pass@")))
    assert "pass" not in str(caught.value)
    with pytest.raises(ValueError, match="url"):
        made(url="ftp://127.0.0.1/v1")
    with pytest.raises(ConfigError, match=r"assistant\.model\.ca_file: expected a file with certificates"):
        made(url="https://127.0.0.1/v1", ca_file="/nowhere.pem")


def test_a_form_is_asked_for_as_a_strict_schema(server, made):
    server.answer = streams(sse(chunk('{"category": "good"}'), chunk("", "stop")))
    form = Form("verdict", "What was found.", {"type": "object", "properties": {"category": {"type": "string"}}})
    assert read(made(), request(form=form))[0] == '{"category": "good"}'
    about = {"name": "verdict", "description": "What was found.", "strict": True, "schema": dict(form.schema)}
    assert server.calls[0].body["response_format"] == {"type": "json_schema", "json_schema": about}


def test_a_server_that_knows_no_forms_is_told_as_such(server, made):
    server.answer = lambda call: Reply(status=400, body=b"response_format is not supported")
    with pytest.raises(Unacceptable, match="name another model"):
        read(made())
