"""The body of a passage: what `index_knowledge` publishes and every vector index stores and returns.

| field | type | |
|---|---|---|
| `source` | text | the document feed, as the settings name it |
| `document` | text | the document's id in its feed |
| `title`, `url`, `language` | text or null | |
| `heading` | list of text | the headings above the passage, outermost first |
| `text` | text | |
| `start`, `end` | int | offsets in the parsed document, in characters |
| `ordinal` | int | the passage's place in the document, from 0 |
| `tags`, `audience` | list of text | an empty audience means: everybody |
| `tenant` | text or null | |
| `modality` | text | `text`; other kinds may follow |
| `metadata` | object | whatever the source gave besides |
| `content_hash` | text | hash of what was embedded |
| `model`, `dimension`, `fingerprint` | text, int, text | what made the vector |
| `vector` | text | base64 of `dimension` little-endian float32 |
| `position` | text | the document's position at the source |
| `changed_at` | text | ISO 8601, UTC: when the document changed at the source |
"""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ports import Vectors


def packed(vector: Vectors) -> str:
    """One vector as a body holds it."""
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


def unpacked(body: Mapping[str, Any]) -> Vectors:
    """A body's vector, shape (dimension,), float32."""
    return np.frombuffer(base64.b64decode(body["vector"]), dtype="<f4")
