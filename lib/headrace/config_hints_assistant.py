"""What every key below `assistant` expects, with an example: merged into `HINTS`, where `assistant.` comes before."""

_DURATION = "a duration such as 90s, 15m, 12h or 7 days, above 0"
_SWITCH = "true or false"
_COUNT = "a whole number above 0"
_AMOUNT = "an amount, 0 or more, for a million tokens"
_PRICE = "{input: 0.06, output: 0.24, as_of: 2026-11-01}"
_PRICE_LINE = f"price: {_PRICE}"
_GUARDRAIL = 'guardrail: {id: gr1a2b3c4d5e, version: "1"}'
_MODEL = "model: {provider: bedrock, model: eu.amazon.nova-lite-v1:0}"

_CHAT = {
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

_ANSWERS = {
    "": ("limits of one answer", "answers: {timeout: 60s}"),
    "timeout": (_DURATION, "timeout: 60s"),
    "first_piece": (f"{_DURATION}, at most timeout", "first_piece: 20s"),
    "attempts": ("a whole number from 1 to 10", "attempts: 2"),
    "retry_after": ("a duration such as 0.5s", "retry_after: 0.5s"),
    "fallback": ("a list of further models", "fallback: [{provider: extractive}]"),
    "fallback.*": ("a model that answers: a mapping as assistant.model", "{provider: extractive, sentences: 3}"),
}

_JUDGE = {
    "": ("a model that judges conversations: a mapping with model", f"judge: {{{_MODEL}}}"),
    "model": ("a model that fills in forms", _MODEL),
    "sample": (_COUNT, "sample: 100"),
    "timeout": (_DURATION, "timeout: 60s"),
    "attempts": ("a whole number from 1 to 5", "attempts: 2"),
    "purpose": ("a purpose that people must have agreed to", "purpose: improve"),
}

_PLACES = {
    "": ("what answers questions", f"assistant: {{{_MODEL}}}"),
    "model": ("the model that answers", _MODEL),
    **{f"model.{key}": hint for key, hint in _CHAT.items()},
    **{f"answers.{key}" if key else "answers": hint for key, hint in _ANSWERS.items()},
    **{f"answers.fallback.*.{key}": hint for key, hint in _CHAT.items()},
    **{f"judge.{key}".rstrip("."): hint for key, hint in _JUDGE.items()},
    **{f"judge.model.{key}": hint for key, hint in _CHAT.items() if key != "sentences"},
    "judge.model.provider": ("one of bedrock, sagemaker, openai", "provider: bedrock"),
}

ASSISTANT: dict[str, tuple[str, str]] = {
    f"assistant.{place}" if place else "assistant": hint for place, hint in _PLACES.items()
}
"""Place -> what is expected, and a line of YAML that is right there."""
