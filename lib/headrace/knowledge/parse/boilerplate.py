"""What of a web page is its content: the element it is in, and what in there is none.

Rules on tags, roles and names, no scores: with a score, one edited paragraph could change what counts as content.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MACHINERY = frozenset(
    "script style noscript template iframe object embed svg canvas audio video map head input button select textarea "
    "datalist -comment".split()
)
"""Elements that hold no prose on any page."""

_AROUND = frozenset({"nav", "footer", "aside", "dialog", "menu"})
_ROLES = frozenset(
    "navigation banner contentinfo complementary search dialog alertdialog menu menubar toolbar tablist".split()
)
_KEPT = frozenset({"html", "body", "main", "article", "h1", "h2", "h3", "h4", "h5", "h6"})
_NAMES = frozenset(
    "nav navbar navigation sidebar breadcrumb breadcrumbs footer site-footer page-footer site-header skip-link "
    "skip-to-content pagination pager toc table-of-contents sharing social-share share-buttons advertisement advert ad "
    "ads newsletter newsletter-signup related-posts edit-this-page".split()
)
_CONSENT = re.compile(
    r"(?:cookies?|consent|gdpr).*(?:banner|bar|notice|popup|modal|overlay|dialog|message|law|alert)"
    r"|^(?:onetrust|cookiebot|cybotcookie|usercentrics|didomi|cookieconsent)"
)
_NOTE = re.compile(r"note|tip|hint|info|warning|caution|danger|admonition|callout")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


def root(page: "LexborHTMLParser") -> "LexborNode | None":
    """The element with the content: `main`, else the only `article` if it has half of the text, else the body."""
    main = page.css_first("main, [role=main]")
    if main is not None and main.text().strip():
        return main
    articles = page.css("article")
    body = page.body
    if body is not None and len(articles) == 1 and len(articles[0].text()) * 2 >= len(body.text()):
        return articles[0]
    return body or page.root


def is_around(node: "LexborNode", within: str) -> bool:
    """Whether an element is around the content and none of it. `within`: the tag of its parent."""
    tag, attributes = node.tag or "", node.attributes
    if not attributes:
        return tag in _AROUND or (tag == "header" and within not in ("main", "article", "section"))
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    role = (attributes.get("role") or "").lower()
    if role in _ROLES or _HIDDEN.search((attributes.get("style") or "")[:500]):
        return True
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".lower()[:1000]
    if tag in _AROUND:
        # Several documentation tools write their notes as `aside`.
        return not (tag == "aside" and (role == "note" or _NOTE.search(names)))
    if tag == "header":
        return within not in ("main", "article", "section")
    return tag not in _KEPT and any(name in _NAMES or _CONSENT.search(name) for name in names.split())
