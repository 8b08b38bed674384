"""Bytes of a document in, Markdown-like text out, or the reason why not.

document.py     the entry: size, format, in this process or in a helper
media.py        which format it is: content, then type, then name
guarded.py      the helper process: kept, asked, killed when it takes too long
helper.py       what runs in it
direct.py       one document in this process; every error becomes Unparsable
charset.py, clean.py, language.py, blocks.py    what the parsers share
markdown.py, html.py, pdf.py, docx.py, delimited.py, jsons.py    one format each
"""

from headrace.knowledge.parse.document import parse
from headrace.knowledge.parse.media import known
from headrace.knowledge.parse.outcome import Parsed, Reason, Unparsable
from headrace.knowledge.parse.versions import fingerprint

__all__ = ["Parsed", "Reason", "Unparsable", "fingerprint", "known", "parse"]
