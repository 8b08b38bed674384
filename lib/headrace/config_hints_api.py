"""What every key of an API expects, as `config_hints`; below `sources.*`."""

API: dict[str, tuple[str, str]] = {
    "keys_from": ("the table whose rows say which keys are asked for", "keys_from: hotels"),
    "url": ("an http or https URL with {column} for each key column", 'url: "https://api.example/rooms/{hotel_id}"'),
    "headers": ("headers by name", "headers: {Authorization: {secret: env:API_TOKEN}}"),
    "headers.*": ("text, or a secret", "Authorization: {secret: env:API_TOKEN}"),
    "fresh_for": ("a duration above 0, such as 1h or 1 day", "fresh_for: 1h"),
    "requests_per_minute": ("a whole number above 0", "requests_per_minute: 300"),
    "parallel": ("a whole number from 1 to 64", "parallel: 4"),
    "timeout": ("a duration above 0, such as 10s", "timeout: 10s"),
    "retry_after": ("a duration such as 30s", "retry_after: 30s"),
    "calls_per_day": ("a whole number above 0", "calls_per_day: 10000"),
    "max_bytes": ("a number of bytes from 1 to 4194304", "max_bytes: 262144"),
    "ca_file": ("a file of certificates (PEM)", "ca_file: ./api-ca.pem"),
}
