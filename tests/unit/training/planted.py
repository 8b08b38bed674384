"""Faults planted in good lines, and the rules that must refuse them."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from headrace.training.formats import FORMATS

LONG = "far too long " * 2000


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, how a good line gets it, and the rules that it breaks, all of them."""

    name: str
    change: Callable[[Any], Any]
    rules: frozenset[str]


def put(path: str, value: Any) -> Callable[[Any], Any]:
    """The line with another value at a path such as `messages.0.role`."""

    def change(line: Any) -> Any:
        place, last = _place(line, path)
        place[last] = value
        return line

    return change


def drop(path: str) -> Callable[[Any], Any]:
    """The line without what is at a path."""

    def change(line: Any) -> Any:
        place, last = _place(line, path)
        del place[last]
        return line

    return change


def _place(line: Any, path: str) -> tuple[Any, Any]:
    *way, last = [int(one) if one.lstrip("-").isdigit() else one for one in path.split(".")]
    for one in way:
        line = line[one]
    return line, last


def _fault(name: str, change: Callable[[Any], Any], *rules: str) -> Fault:
    return Fault(name, change, frozenset(rules))


def _any(key: str) -> list[Fault]:
    return [
        _fault("a list instead of an object", lambda line: [line], "object"),
        _fault("a text instead of an object", lambda line: "hello", "object"),
        _fault(f"no `{key}`", drop(key), "missing key"),
        _fault("a key of our own", put("conversation", "c1"), "unknown key"),
        _fault("a key in capital letters", lambda line: {**line, key.upper(): 1}, "unknown key"),
    ]


def _messages(key: str, last: str) -> list[Fault]:
    """Of a list of `{role, content}`: system, user, assistant, user, and the assistant where it is last."""
    user = {"role": "user", "content": "And my cat?"}
    return [
        _fault(f"`{key}` a text", put(key, "May my dog come?"), "list"),
        _fault(f"`{key}` empty", put(key, []), "list"),
        _fault(f"`{key}` null", put(key, None), "list"),
        _fault("a message that is a text", put(f"{key}.1", "May my dog come?"), "object"),
        _fault("a message without a role", drop(f"{key}.1.role"), "missing key"),
        _fault("a message without content", drop(f"{key}.1.content"), "missing key"),
        _fault("a role with a capital", put(f"{key}.1.role", "User"), "role"),
        _fault("the role `human`", put(f"{key}.1.role", "human"), "role"),
        _fault("a role that is a number", put(f"{key}.1.role", 1), "role"),
        _fault("a first message of the assistant", drop(f"{key}.1"), "starts with user"),
        _fault("two questions in a row", drop(f"{key}.2"), "roles alternate"),
        _fault(
            "no answer at the end" if last == "assistant" else "an answer at the end",
            drop(f"{key}.-1") if last == "assistant" else put(f"{key}", [user, {**user, "role": "assistant"}]),
            f"ends with {last}",
        ),
        _fault("a system message later", lambda line: _moved(line, key), "system first"),
        _fault("a system message alone", lambda line: _first(line, key), *_alone(last)),
        _fault("an empty content", put(f"{key}.1.content", ""), "empty text"),
        _fault("a content of blanks", put(f"{key}.1.content", " \n\t"), "empty text"),
        _fault("a content that is a number", put(f"{key}.1.content", 42), "text"),
        _fault("a content that is null", put(f"{key}.1.content", None), "text"),
        _fault("a content in parts", put(f"{key}.1.content", [{"type": "text", "text": "Hi"}]), "text"),
        _fault("a weight of a message", put(f"{key}.1.weight", 0), "unknown key"),
        _fault("half a surrogate pair", put(f"{key}.1.content", "\ud83d"), "Unicode"),
    ]  # fmt: skip


def _alone(last: str) -> tuple[str, ...]:
    return ("list", "ends with assistant") if last == "assistant" else ("ends with user",)


def _moved(line: Any, key: str) -> Any:
    line[key].insert(2, line[key].pop(0))
    return line


def _first(line: Any, key: str) -> Any:
    line[key] = line[key][:1]
    return line


def _answer(key: str) -> list[Fault]:
    answer = {"role": "assistant", "content": "Yes."}
    return [
        _fault(f"no `{key}`", drop(key), "missing key"),
        _fault(f"`{key}` a text", put(key, "Yes."), "list"),
        _fault(f"`{key}` empty", put(key, []), "list"),
        _fault(f"two messages in `{key}`", put(key, [answer, {**answer, "content": "No."}]), "list"),
        _fault(f"`{key}` of the user", put(f"{key}.0.role", "user"), "role"),
        _fault(f"an empty answer in `{key}`", put(f"{key}.0.content", ""), "empty text"),
        _fault(f"a number as answer in `{key}`", put(f"{key}.0.content", 1), "text"),
    ]


def _converse(most: int | None = None) -> list[Fault]:
    """Of Converse: a system text, then user, assistant, user, assistant; only the last two where `most` is 2."""
    question = {"role": "user", "content": [{"text": "And my cat?"}]}
    faults = [
        *_any("messages"),
        _fault("`messages` a text", put("messages", "May my dog come?"), "list"),
        _fault("`messages` empty", put("messages", []), "list"),
        _fault("a message that is a text", put("messages.0", "May my dog come?"), "object"),
        _fault("a message without a role", drop("messages.0.role"), "missing key"),
        _fault("a message without content", drop("messages.0.content"), "missing key"),
        _fault("the role `system` in a message", put("messages.0.role", "system"), "role"),
        _fault("a role with a capital", put("messages.0.role", "User"), "role"),
        _fault("a content that is a text", put("messages.0.content", "May my dog come?"), "list"),
        _fault("a content without blocks", put("messages.0.content", []), "list"),
        _fault("a block that is a text", put("messages.0.content.0", "Hi"), "object"),
        _fault("a block with a type", put("messages.0.content.0.type", "text"), "unknown key"),
        _fault("an image", put("messages.0.content.0", {"image": {"format": "png"}}), "missing key", "unknown key"),
        _fault("an empty text", put("messages.0.content.0.text", ""), "empty text"),
        _fault("a text that is a number", put("messages.0.content.0.text", 42), "text"),
        _fault("a text that is null", put("messages.0.content.0.text", None), "text"),
        _fault("half a surrogate pair", put("messages.0.content.0.text", "\udc00"), "Unicode"),
        _fault(
            "a first message of the assistant",
            put("messages.0.role", "assistant"),
            "starts with user",
            "roles alternate",
        ),
        _fault("a key of a message", put("messages.0.name", "Ada"), "unknown key"),
        _fault("`system` a text", put("system", "You answer travellers."), "list"),
        _fault("`system` empty", put("system", []), "list"),
        _fault("two system texts", put("system", [{"text": "a"}, {"text": "b"}]), "list"),
        _fault("an empty system text", put("system.0.text", " "), "empty text"),
        _fault("a tool", put("toolConfig", {"tools": []}), "unknown key"),
    ]
    if most is None:
        faults += [
            _fault("two questions in a row", put("messages.1", question), "roles alternate"),
            _fault("two answers in a row", drop("messages.2"), "roles alternate"),
            _fault("no answer at the end", lambda line: _cut(line), "ends with assistant"),
            _fault("a schema version that is a number", put("schemaVersion", 2024), "text"),
        ]
    return faults


def _cut(line: Any) -> Any:
    line["messages"].pop()
    return line


_RESERVED = [
    _fault(f"the reserved word {word}", put("messages.0.content.0.text", f"Hi. {word} hello"), "reserved word")
    for word in ("User:", "Bot:", "Assistant:", "System:", "<image>", "<video>", "[EOS]")
] + [_fault("a reserved word in the system text", put("system.0.text", "System: be kind"), "reserved word")]

_CANDIDATES = [
    _fault("no candidates", drop("messages.-1.candidates"), "missing key"),
    _fault("a plain answer instead of candidates",
           put("messages.-1", {"role": "assistant", "content": [{"text": "Yes."}]}), "missing key", "unknown key"),
    _fault("one candidate", drop("messages.-1.candidates.1"), "list"),
    _fault("candidates of the user", put("messages.-1.role", "user"), "role"),
    _fault("both preferred", put("messages.-1.candidates.1.preferenceLabel", "preferred"), "one of each"),
    _fault("none preferred", put("messages.-1.candidates.0.preferenceLabel", "non-preferred"), "one of each"),
    _fault("the label `rejected`", put("messages.-1.candidates.1.preferenceLabel", "rejected"), "label"),
    _fault("a label that is a number", put("messages.-1.candidates.1.preferenceLabel", 0), "label"),
    _fault("a candidate without a label", drop("messages.-1.candidates.1.preferenceLabel"), "missing key"),
    _fault("a candidate without content", drop("messages.-1.candidates.1.content"), "missing key"),
    _fault("an empty candidate", put("messages.-1.candidates.1.content.0.text", ""), "empty text"),
    _fault("a candidate that is a text", put("messages.-1.candidates.1", "No idea."), "object"),
    _fault("the same answer twice", lambda line: _tied(line), "answers differ"),
    _fault("candidates in the middle", lambda line: _early(line), "missing key", "unknown key"),
]  # fmt: skip


def _tied(line: Any) -> Any:
    one, other = line["messages"][-1]["candidates"]
    other["content"] = deepcopy(one["content"])
    return line


def _early(line: Any) -> Any:
    line["messages"][1] = deepcopy(line["messages"][-1])
    return line


def _without(faults: list[Fault], *names: str) -> list[Fault]:
    return [one for one in faults if one.name not in names]


_ENDS = ("no answer at the end", "a schema version that is a number")
_PROMPT = [*_any("prompt"), *_messages("prompt", "user")]
_TOO_LONG = [_fault("a question too long for the trainer", put("messages.1.content", LONG), "length")]
_TOO_LONG_PROMPT = [_fault("a question too long for the trainer", put("prompt.1.content", LONG), "length")]

FAULTS: dict[str, list[Fault]] = {
    "jumpstart_instruction": [
        *_any("instruction"),
        _fault("no `context`", drop("context"), "missing key"),
        _fault("no `response`", drop("response"), "missing key"),
        _fault("`output` instead of `response`", lambda line: {**drop("response")(line), "output": "Yes."},
               "missing key", "unknown key"),
        _fault("an empty instruction", put("instruction", ""), "empty text"),
        _fault("an instruction of blanks", put("instruction", "\u00a0\n"), "empty text"),
        _fault("an instruction in parts", put("instruction", ["May", "my dog come?"]), "text"),
        _fault("a context that is null", put("context", None), "text"),
        _fault("a context of blanks", put("context", " "), "empty text"),
        _fault("an empty response", put("response", ""), "empty text"),
        _fault("a response that is a number", put("response", 42), "text"),
        _fault("a response that is true", put("response", True), "text"),
        _fault("half a surrogate pair", put("response", "\ud83d"), "Unicode"),
        _fault("too long for the trainer", put("context", LONG), "length"),
    ],
    "jumpstart_chat": [
        *_any("messages"), *_messages("messages", "assistant"), *_TOO_LONG,
        _fault("`dialog` beside `messages`", lambda line: {**line, "dialog": line["messages"]}, "unknown key"),
    ],
    "jumpstart_text": [
        *_any("text"),
        _fault("an empty text", put("text", ""), "empty text"),
        _fault("a text of blanks", put("text", " \n"), "empty text"),
        _fault("a text that is a number", put("text", 42), "text"),
        _fault("a text that is null", put("text", None), "text"),
        _fault("a text in parts", put("text", ["Dogs", "travel free."]), "text"),
        _fault("a text that is an object", put("text", {"en": "Dogs travel free."}), "text"),
        _fault("a text that is true", put("text", True), "text"),
        _fault("half a surrogate pair", put("text", "\ud83d"), "Unicode"),
        _fault("a title beside the text", put("title", "Dogs"), "unknown key"),
        _fault("messages instead of a text", lambda line: {"messages": []}, "missing key", "unknown key"),
    ],
    "converse": _converse(),
    "openai_chat": [*_any("messages"), *_messages("messages", "assistant"),
                    _fault("tools", put("tools", []), "unknown key")],
    "sagemaker_dpo": [*_without(_converse(), *_ENDS), *_CANDIDATES, *_RESERVED],
    "nova": [*_converse(), *_RESERVED],
    "distillation": [
        *_converse(2),
        _fault("no schema version", drop("schemaVersion"), "missing key"),
        _fault("another schema version", put("schemaVersion", "bedrock-conversion-2024"), "schema version"),
        _fault("a schema version that is a number", put("schemaVersion", 2024), "schema version"),
        _fault("a question without an answer", drop("messages.1"), "list", "ends with assistant"),
        _fault("two turns", lambda line: {**line, "messages": line["messages"] * 2}, "list"),
        _fault("two blocks", put("messages.0.content", [{"text": "May"}, {"text": "my dog come?"}]), "list"),
    ],
    "trl_sft": [*_PROMPT, *_TOO_LONG_PROMPT, *_answer("completion"),
                _fault("a prompt that is a text", put("prompt", "May my dog come?"), "list")],
    "trl_dpo": [
        *_PROMPT, *_TOO_LONG_PROMPT, *_answer("chosen"), *_answer("rejected"),
        _fault("the same answer twice", lambda line: {**line, "rejected": line["chosen"]}, "answers differ"),
        _fault("a rejected answer too long for the trainer", put("rejected.0.content", LONG), "length"),
    ],
    "trl_kto": [
        *_PROMPT, *_TOO_LONG_PROMPT, *_answer("completion"),
        _fault("no `label`", drop("label"), "missing key"),
        _fault("a label that is a text", put("label", "true"), "label"),
        _fault("a label that is 1", put("label", 1), "label"),
        _fault("a label that is null", put("label", None), "label"),
    ],
}  # fmt: skip

CASES = [(FORMATS[name], fault) for name, faults in FAULTS.items() for fault in faults]
