"""What personal data looks like: small functions, each for one or two kinds, over a text in plain signs.

kinds       the kinds in their rank, and what a rule finds
plain       a text in plain signs, and where each stood
emails, phones
money       payment card, IBAN
papers      social security, national ids, passports
births      dates of birth
network     IP addresses, secrets in URLs
secrets     API keys, JWT, private keys, passwords
names       names that are known of a person
"""
