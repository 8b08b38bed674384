"""What keeps an example out of a dataset: small functions, each `Example -> detail or None`.

parts       the texts of an example by role, and the settings
shape       who spoke when, empty texts, lengths
wording     signs, repetition, ends that are missing
languages   which language
phrases     abuse, refusals, errors, reserved words; `phrases.yaml`
"""
