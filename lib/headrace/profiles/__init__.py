"""One document for each person: which value of a field counts, what belongs to it, what was agreed to."""
