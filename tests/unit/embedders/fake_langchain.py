"""A class with the two methods of LangChain's `Embeddings`."""

from unit.embedders.model_server import DIMENSION, vector_of


class FakeEmbeddings:
    def __init__(self, model: str, api_key: str = "", fail: str = "") -> None:
        if fail:
            raise ValueError(f"{fail} with the key {api_key}")
        self.model, self.raises = model, None
        self.key = api_key

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if self.raises:
            raise self.raises
        return [vector_of(text, DIMENSION) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return vector_of("query: " + text, DIMENSION)


class NeedsMore:
    def __init__(self, **_: str) -> None:
        raise ImportError("Could not import voyageai", name="voyageai")
