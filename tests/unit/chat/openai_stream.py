"""Server-sent events as OpenAI documents them."""

import json
from typing import Any


def chunk(text: str, finish: str | None = None, **delta: object) -> dict[str, Any]:
    """What one event of a stream holds."""
    return {"choices": [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}]}


def sse(*chunks: dict[str, Any], done: bool = True) -> bytes:
    """Events as a server writes them."""
    lines = [f"data: {json.dumps(one, ensure_ascii=False)}\n\n" for one in chunks]
    return "".join([*lines, *["data: [DONE]\n\n"] * done]).encode()
