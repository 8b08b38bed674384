"""A SageMaker endpoint that takes OpenAI's messages and streams its answer."""

import json
from collections.abc import Iterator
from typing import Any

from headrace.config_chat import SageMakerChat
from headrace.errors import Fatal, HeadraceError
from headrace.ports_chat import ChatEnd, ChatRequest
from headrace.stores.aws_clients import aws_client
from headrace.stores.chat_errors import of_aws, of_status
from headrace.stores.chat_events import events, pieces, whole
from headrace.stores.chat_request import most_tokens, openai_body


class SageMakerChatModel:
    """Answers through `InvokeEndpointWithResponseStream`. As `ChatModel`.

    Args:
        silence: seconds without a byte after which a call is given up.
        client: of `sagemaker-runtime`; made from the settings where not given.
    """

    def __init__(
        self, settings: SageMakerChat, *, silence: float, where: str = "assistant.model", client: Any = None
    ) -> None:
        self.name = settings.model or settings.endpoint
        self._settings, self._at = settings, where
        self._client = client or aws_client(
            "sagemaker-runtime", region=settings.region, role=settings.role, seconds=silence, calls=settings.parallel
        )

    def stream(self, request: ChatRequest) -> Iterator[str | ChatEnd]:
        """As in `ChatModel`."""
        endpoint = self._settings.endpoint
        body = openai_body(request, self._settings, self._settings.model)
        body |= {"max_tokens": most_tokens(request, self._settings), "stream": True}
        if self._settings.count_tokens:
            body["stream_options"] = {"include_usage": True}
        try:
            response = self._client.invoke_endpoint_with_response_stream(
                EndpointName=endpoint,
                ContentType="application/json",
                Body=json.dumps(body, ensure_ascii=False).encode(),
            )
        except Exception as error:
            raise self._meant(error) from error
        stream = response["Body"]
        try:
            parts = self._parts(stream)
            if "json" in response.get("ContentType", "").lower() and "lines" not in response["ContentType"].lower():
                yield from pieces([whole(parts, endpoint).decode("utf-8", "replace")], endpoint)
            else:
                yield from pieces(events(parts, endpoint), endpoint)
        finally:
            stream.close()

    def close(self) -> None:
        """As in `ChatModel`."""
        self._client.close()

    def _parts(self, stream: Any) -> Iterator[bytes]:
        try:
            for event in stream:
                yield event.get("PayloadPart", {}).get("Bytes", b"")
        except Exception as error:
            raise self._meant(error) from error

    def _meant(self, error: Exception) -> HeadraceError:
        response = getattr(error, "response", None)
        if not isinstance(response, dict) or response.get("Error", {}).get("Code") != "ModelError":
            return of_aws(error, self._settings.endpoint)
        # The container's own answer comes inside an error of the endpoint.
        status = int(response.get("OriginalStatusCode") or 0)
        said = str(response.get("OriginalMessage") or "")
        headers: dict[str, str] = {}
        if status in (401, 403, 404, 405):
            todo = f"Check that {self._settings.endpoint} runs a server of OpenAI's messages, and {self._at}.model."
            found = f"{status} from the model: {said[:300]}"
            return Fatal(where=self._settings.endpoint, expected="an answer", found=found, todo=todo)
        return of_status(status or 500, headers, said, self._settings.endpoint, self._at)
