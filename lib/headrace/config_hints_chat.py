"""What every key of a model that answers expects, with an example, wherever the settings name one."""

_SWITCH = "true or false"
_COUNT = "a whole number above 0"
_AMOUNT = "an amount, 0 or more, for a million tokens"
_PRICE = "{input: 0.06, output: 0.24, as_of: 2026-11-01}"
_PRICE_LINE = f"price: {_PRICE}"
_GUARDRAIL = 'guardrail: {id: gr1a2b3c4d5e, version: "1"}'

CHAT: dict[str, tuple[str, str]] = {
    "provider": ("one of extractive, bedrock, sagemaker, openai", "provider: extractive"),
    "sentences": ("a whole number from 1 to 20", "sentences: 3"),
    "max_tokens": (_COUNT, "max_tokens: 1024"),
    "temperature": ("a number from 0 to 2", "temperature: 0.2"),
    "parallel": ("a whole number from 1 to 256", "parallel: 16"),
    "price": ("what a million tokens cost", _PRICE_LINE),
    "price.input": (_AMOUNT, _PRICE),
    "price.output": (_AMOUNT, "{output: 0.24, input: 0.06, as_of: 2026-11-01}"),
    "price.cached": (_AMOUNT, "{cached: 0.015, input: 0.06, output: 0.24, as_of: 2026-11-01}"),
    "price.currency": ("three capital letters", "{currency: EUR, input: 0.06, output: 0.24, as_of: 2026-11-01}"),
    "price.as_of": ("the day of the price list, such as 2026-11-01", "{as_of: 2026-11-01, input: 0.06, output: 0.24}"),
    "model": ("the name of a model of the provider", "model: eu.amazon.nova-lite-v1:0"),
    "region": ("the name of an AWS region; the environment's where not given", "region: eu-central-1"),
    "role": ("the ARN of a role to take on", "role: arn:aws:iam::123456789012:role/headrace"),
    "guardrail": ("a guardrail of Bedrock: its id and version", _GUARDRAIL),
    "guardrail.id": ("the id or ARN of a guardrail", '{id: gr1a2b3c4d5e, version: "1"}'),
    "guardrail.version": ("a number as text, or DRAFT", "{version: DRAFT, id: gr1a2b3c4d5e}"),
    "endpoint": ("the name of a SageMaker endpoint", "endpoint: assistant"),
    "url": ("the address of a server, up to and with /v1", "url: http://127.0.0.1:8080/v1"),
    "key": ("a secret: the API key", "key: {secret: env:CHAT_KEY}"),
    "headers": ("headers of every request, by name", "headers: {X-Team: travel}"),
    "headers.*": ("text, or a secret", "X-Api-Key: {secret: env:CHAT_KEY}"),
    "ca_file": ("a file of certificates (PEM) to trust", "ca_file: /etc/ssl/our-ca.pem"),
    "stream": (_SWITCH, "stream: true"),
    "count_tokens": (_SWITCH, "count_tokens: true"),
    "length_field": ("one of max_tokens, max_completion_tokens", "length_field: max_completion_tokens"),
}
