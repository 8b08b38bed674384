"""Documents in, passages out: parse, cut, embed what is new, compare with what is served.

parse/        bytes -> text with headings, or a reason why not
chunk.py      text -> passages with heading path and offsets
"""
