"""HTML: the content of a page as Markdown, read by Lexbor (selectolax) the way browsers do."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headrace.knowledge.parse import boilerplate, media
from headrace.knowledge.parse.blocks import too_deep
from headrace.knowledge.parse.charset import decode
from headrace.knowledge.parse.html_writer import Writer
from headrace.knowledge.parse.outcome import Draft

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

    from headrace.config_knowledge import Parse

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I)
_TAGS = re.compile(r"<(/?)(?:div|span|section|article|table|ul|ol|blockquote|font|center|b|i|u|em|a)(?=[\s>/])", re.I)
_HOPELESS = 5_000
"""Unclosed elements from which Lexbor's time, which grows with the square of the depth, gets long."""

_METADATA = {
    "author": "author",
    "description": "description",
    "keywords": "keywords",
    "article:published_time": "created",
    "article:modified_time": "modified",
}


def parse_html(content: bytes, charset: str | None, limits: "Parse") -> Draft:
    """The main content; the whole body where the rules for boilerplate would leave nothing."""
    declared = _CHARSET.search(content[:4096])
    source = decode(content, charset or (declared[1].decode("ascii", "ignore") if declared else None))
    _check_depth(source, limits)
    page = _page(source)
    node = boilerplate.root(page)
    text = _written(node, limits, whole=False)
    if not text:
        text = _written(page.body, limits, whole=True)
    language = page.root.attributes.get("lang") if page.root is not None else None
    return Draft(_title(page), text, media.HTML, language, _metadata(page))


def body_text(source: str, limits: "Parse") -> str:
    """Everything in some HTML, as Markdown: for other formats that come this way."""
    return _written(_page(source).body, limits, whole=True)


def _page(source: str) -> "LexborHTMLParser":
    """Lexbor reads any text; it fails only for want of memory."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    try:
        return LexborHTMLParser(source)
    except SelectolaxError:
        raise MemoryError from None


def _check_depth(source: str, limits: "Parse") -> None:
    depth = 0
    for tag in _TAGS.finditer(source):
        depth += -1 if tag[1] else 1
        if depth > max(_HOPELESS, limits.max_depth):
            raise too_deep(limits.max_depth)


def _written(start: "LexborNode | None", limits: "Parse", *, whole: bool) -> str:
    writer = Writer(limits.max_characters)
    if start is not None:
        for node, opens in _walk(start, limits.max_depth, whole=whole):
            if not opens:
                writer.close(node)
            elif node.tag == "-text":
                writer.text(node.text_content or "")
            else:
                writer.open(node)
    return writer.done()


def _walk(start: "LexborNode", limit: int, *, whole: bool) -> "Iterator[tuple[LexborNode, bool]]":
    """Elements and texts in order, each element a second time at its end. No recursion: pages nest deep."""
    path: list[LexborNode] = []
    node: LexborNode | None = start
    while node is not None:
        if len(path) > limit:
            raise too_deep(limit)
        within = path[-1].tag or "" if path else "main"
        skipped = node.tag in boilerplate.MACHINERY or (
            not whole and bool(path) and node.tag != "-text" and boilerplate.is_around(node, within)
        )
        if not skipped:
            yield node, True
            child = node.first_child if node.tag != "-text" else None
            if child is not None:
                path.append(node)
                node = child
                continue
            if node.tag != "-text":
                yield node, False
        following = node.next if path else None
        while following is None and path:
            ended = path.pop()
            yield ended, False
            following = ended.next if path else None
        node = following


def _title(page: "LexborHTMLParser") -> str | None:
    """The heading where the page's title holds it: titles go on with the site's name, which says nothing."""
    titles, headings = page.css_first("head > title"), page.css_first("h1")
    title = " ".join(titles.text().split()) if titles is not None else ""
    heading = " ".join(headings.text().split()).rstrip("¶#\U0001f517 ") if headings is not None else ""
    return heading if heading and (not title or heading.lower() in title.lower()) else title or None


def _metadata(page: "LexborHTMLParser") -> dict[str, str]:
    found: dict[str, str] = {}
    for node in page.css("head > meta[content]"):
        attributes = node.attributes
        name = _METADATA.get((attributes.get("name") or attributes.get("property") or "").lower())
        if name:
            found.setdefault(name, attributes.get("content") or "")
    return found
