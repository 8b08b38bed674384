"""What every key below `alerts` expects, with an example."""

_DURATION = "a duration such as 90s, 15m, 12h or 7 days"
_MINUTES = "a duration of whole minutes, such as 15m"
_COUNT = "a whole number above 0"
_ABOVE_0 = "a number above 0"
_RULE = "{rule: threshold, measure: errors, above: 0.05}"
_HOOK = '{to: webhook, url: "https://hooks.example/headrace"}'
_DIRECTION = "one of up, down, either"

_RULES = {
    "": ("a rule: a mapping with rule and measure", f"failing: {_RULE}"),
    "rule": ("one of threshold, change, unusual, burn_rate", "rule: threshold"),
    "measure": ("the name of a measure", "measure: errors"),
    "slice": ("values of dimensions", "slice: {model: nova-lite}"),
    "slice.*": ("text", "model: nova-lite"),
    "percentile": ("a number between 0 and 1, of a measure with percentiles", "percentile: 0.95"),
    "window": (_MINUTES, "window: 30m"),
    "at_least": (_COUNT, "at_least: 30"),
    "cooldown": (_DURATION, "cooldown: 1h"),
    "send": ("names of outputs; log is always there", "send: [log]"),
    "above": ("a number; or below, not both", "{above: 0.05}"),
    "below": ("a number; or above, not both", "{below: 0.8, above: null}"),
    "certain": ("true or false", "certain: true"),
    "by": (f"{_ABOVE_0}: 0.5 is half of the earlier value", "by: 0.5"),
    "points": ("a number, 0 or more", "points: 0.02"),
    "direction": (_DIRECTION, "direction: up"),
    "before": (_MINUTES, "before: 7 days"),
    "z": (_ABOVE_0, "z: 4"),
    "periods": ("a whole number from 3 to 366", "periods: 6"),
    "apart": (_MINUTES, "apart: 7 days"),
    "least_periods": ("a whole number from 3 on, up to periods", "least_periods: 4"),
    "budget": ("a number between 0 and 1", "budget: 0.01"),
    "counts": ("bad or good", "counts: good"),
    "factor": (_ABOVE_0, "factor: 14.4"),
    "short": ("a duration of whole minutes, less than window", "short: 5m"),
}
_OUTPUTS = {
    "": ("an output: a mapping with to", f"hook: {_HOOK}"),
    "to": ("one of log, sns, webhook", "to: log"),
    "topic": ("the ARN of a topic of Amazon SNS", 'topic: "arn:aws:sns:eu-central-1:123456789012:headrace"'),
    "role": ("the ARN of a role to take on", "role: arn:aws:iam::123456789012:role/headrace"),
    "url": ("the address of a server that takes a POST", 'url: "https://hooks.example/headrace"'),
    "secret": ("a secret of at least 16 characters, which signs what is sent", "secret: {secret: env:HOOK_SECRET}"),
    "headers": ("headers of every call, by name", "headers: {X-Team: travel}"),
    "headers.*": ("text, or a secret", "X-Team: travel"),
    "ca_file": ("a file of certificates (PEM) to trust", "ca_file: /etc/ssl/our-ca.pem"),
    "timeout": (f"{_DURATION}, above 0", "timeout: 10s"),
    "attempts": ("a whole number from 1 to 10", "attempts: 3"),
}

ALERTS: dict[str, tuple[str, str]] = {
    "alerts": ("rules and outputs of alerts", f"alerts: {{rules: {{failing: {_RULE}}}}}"),
    "alerts.settle": (_DURATION, "settle: 2m"),
    "alerts.rules": ("rules by name", f"rules: {{failing: {_RULE}}}"),
    "alerts.outputs": ("outputs by name", f"outputs: {{hook: {_HOOK}}}"),
    **{f"alerts.rules.*.{key}".rstrip("."): words for key, words in _RULES.items()},
    **{f"alerts.outputs.*.{key}".rstrip("."): words for key, words in _OUTPUTS.items()},
}
"""Place -> what is expected, and a line of YAML that is right there."""
