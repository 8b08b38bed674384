"""What every key below `feedback` expects, with an example: merged into `HINTS`."""

_MEASURE = "slow: {numerator: seconds > 8}"
_SQL = "SQL over one row that gives a number"
_STORE = "board: {store: sqlite, path: ./measures.db}"

LIKE_INDEXES = (
    "hosts", "user", "password", "region", "role", "ca_file", "verify", "shards", "replicas",
    "timeout", "rows_per_write", "bytes_per_write",
)  # fmt: skip
"""Keys below `feedback.publish.*` that mean what they mean below `knowledge.indexes.*`."""
FEEDBACK: dict[str, tuple[str, str]] = {
    "feedback": ("what is done with turns and ratings: a mapping with sources", "feedback: {sources: [events]}"),
    "feedback.sources": ("names of sources of format: json, at least one", "sources: [events]"),
    "feedback.sentiment": ("one of vader, blend, comprehend, none", "sentiment: vader"),
    "feedback.comprehend": ("how Amazon Comprehend is asked: a mapping", "comprehend: {texts_per_day: 50000}"),
    "feedback.comprehend.provider": ("comprehend", "provider: comprehend"),
    "feedback.comprehend.model": ("sentiment", "model: sentiment"),
    "feedback.comprehend.region": ("an AWS region", "region: eu-central-1"),
    "feedback.comprehend.role": ("the ARN of a role", "role: arn:aws:iam::123456789012:role/comprehend"),
    "feedback.comprehend.requests_per_minute": ("a whole number above 0", "requests_per_minute: 600"),
    "feedback.comprehend.tokens_per_minute": ("nothing: Comprehend has no such quota", "requests_per_minute: 600"),
    "feedback.comprehend.timeout": ("a duration above 0, such as 30s", "timeout: 30s"),
    "feedback.comprehend.texts_per_day": ("a whole number above 0", "texts_per_day: 50000"),
    "feedback.comprehend.seconds_per_batch": ("a number of seconds above 0", "seconds_per_batch: 20"),
    "feedback.trigger": ("a duration such as 90s, 15m, 12h or 7 days", "trigger: 5s"),
    "feedback.purge_tombstones_after": (
        "a duration such as 90s, 15m, 12h or 7 days, above 0",
        "purge_tombstones_after: 90 days",
    ),
    "feedback.hash_key": ("a secret of at least 16 characters", "hash_key: {secret: env:HEADRACE_HASH_KEY}"),
    "feedback.keep": ("a duration of at least 2 days, such as 400 days", "keep: 400 days"),
    "feedback.measures": ("measures of your own by name", f"measures: {{{_MEASURE}}}"),
    "feedback.measures.*": ("a measure: a mapping with numerator", _MEASURE),
    "feedback.measures.*.over": ("one of turns, ratings, conversations", "over: turns"),
    "feedback.measures.*.numerator": (_SQL, "numerator: seconds > 8"),
    "feedback.measures.*.denominator": (_SQL, "denominator: outcome = 'answered'"),
    "feedback.measures.*.dimensions": ("columns with few values", "dimensions: [model, language]"),
    "feedback.measures.*.unit": ("what the result is counted in", "unit: share"),
    "feedback.measures.*.definition": ("one sentence", "definition: Answers that took more than eight seconds."),
    "feedback.dimensions": ("columns besides: tenant, provider", "dimensions: [tenant]"),
    "feedback.publish": ("stores for measures by name", f"publish: {{{_STORE}}}"),
    "feedback.publish.*": ("a store: a mapping with store", _STORE),
    "feedback.publish.*.store": ("one of sqlite, opensearch", "store: sqlite"),
    "feedback.publish.*.path": ("a file on a disk of this machine", "path: ./measures.db"),
    "feedback.publish.*.index": (
        "a name of lower-case letters, digits, _, - and ., not starting with _, - or .",
        "index: headrace-measures",
    ),
    "feedback.publish.*.auth": ("one of none, basic, aws", "auth: basic"),
    "feedback.publish.*.refresh": ("a duration such as 90s, above 0", "refresh: 5s"),
}
