"""What every key below `web` expects, with an example."""

_PAGES = "some of assistant, freshness, measures, person"
_READER = "ada: {token: {secret: env:ADA_TOKEN}, pages: [assistant, freshness]}"
_COUNT = "a whole number above 0"

_SIGHT = {
    "pages": (_PAGES, "pages: [assistant]"),
    "pages.*": (f"one of {_PAGES.removeprefix('some of ')}", "pages: [assistant]"),
    "tenant": ("the tenant whose passages, people and measures are seen", "tenant: acme"),
    "audience": ("groups that the reader is in", "audience: [gold]"),
    "audience.*": ("the name of a group", "audience: [gold]"),
    "person": ("a person's id, whose profile the answers use", "person: 7f3a2c"),
    "webhooks": ("sources that may be sent to", "webhooks: [feed]"),
    "webhooks.*": ("the name of a source", "webhooks: [feed]"),
}

WEB: dict[str, tuple[str, str]] = {
    "": ("settings of headrace serve", f"web: {{readers: {{{_READER}}}}}"),
    "readers": ("who may sign in, by name", f"readers: {{{_READER}}}"),
    "readers.*": ("a reader: a mapping with token", _READER),
    "readers.*.token": ("a secret of at least 16 characters", "token: {secret: env:ADA_TOKEN}"),
    **{f"readers.*.{key}": hint for key, hint in _SIGHT.items()},
    "local": ("what is seen where there are no readers", "local: {pages: [assistant, freshness]}"),
    **{f"local.{key}": hint for key, hint in _SIGHT.items()},
    "hosts": ("names under which browsers reach it", "hosts: [assistant.example.com]"),
    "hosts.*": ("a name without scheme and port", "hosts: [assistant.example.com]"),
    "webhooks": ("sources from: files that take what is posted", "webhooks: [feed]"),
    "webhooks.*": ("the name of a source", "webhooks: [feed]"),
    "tenant_field": ("the field of a profile that names the tenant", "tenant_field: tenant"),
    "stale_after": ("a duration above 0, such as 5m", "stale_after: 5m"),
    "most_bytes": ("a number of bytes from 1024 to 67108864", "most_bytes: 1048576"),
    "answers_at_once": ("a whole number from 1 to 256", "answers_at_once: 16"),
    "per_minute": (_COUNT, "per_minute: 1200"),
    "audit": ("a file on a disk of this machine", "audit: ./audit.jsonl"),
    "https": ("true or false", "https: true"),
}
"""Below `web`."""
