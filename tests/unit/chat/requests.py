"""A question with two passages."""

from headrace.ports_chat import ChatEnd, ChatMessage, ChatModel, ChatRequest, Item

ITEMS = (
    Item("p1", "passage", "A visa costs sixty euro. It is valid for a year.", "policies", "k1", 1, title="Visa"),
    Item("p2", "passage", "One cabin bag is free. A cat may travel in a soft bag.", "policies", "k2", 1, title="Bags"),
)


def request(ask: str = "What does a visa cost?", **more: object) -> ChatRequest:
    given: dict[str, object] = {"system": "Cite as [p1].", "messages": [ChatMessage("user", ask)], "items": ITEMS}
    return ChatRequest(**(given | more))  # type: ignore[arg-type]


def read(model: ChatModel, asked: ChatRequest | None = None) -> tuple[str, ChatEnd]:
    """The whole text and the end of an answer."""
    *pieces, end = list(model.stream(asked or request()))
    assert isinstance(end, ChatEnd)
    return "".join(map(str, pieces)), end
