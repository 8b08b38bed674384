"""Rated conversations in; datasets that a trainer accepts out, without leaks, and able to forget.

choose      turns, ratings and consent -> examples
privacy, quality, duplicates, decontaminate
            examples -> examples, and refusals with their reasons
minhash, similar
            which texts are nearly the same
splits      train, validation, test: no person, conversation or near duplicate on two sides
leaks       measures that; split_report says how the examples lie
formats     an example -> a line as a trainer reads it, and a check of every line
folder      files, manifest, checksums, card
bulk_...    the same in Spark
"""
