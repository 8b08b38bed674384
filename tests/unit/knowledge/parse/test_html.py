"""Web pages: what is content, and how it reads."""

from .builders import read

PAGE = """<!doctype html><html lang="en"><head><title>Alpha Guide | Example</title><meta name="author" content="Ann B">
<meta property="article:modified_time" content="2026-01-02"></head><body>
<nav>Home Docs</nav><header class="site">Logo</header><div id="cookie-banner">We use cookies. Accept?</div>
<main><article><header><h1>Alpha Guide</h1></header>%s</article></main>
<aside>Other pages</aside><footer>Copyright 2026</footer><script>track()</script></body></html>"""


def body(html: str) -> str:
    return read(PAGE % html, "a.html").text.removeprefix("# Alpha Guide\n\n")


def test_only_the_content_of_a_page_is_left() -> None:
    parsed = read(PAGE % "<p>The server starts   by\n itself.</p>", "a.html")
    assert parsed.text == "# Alpha Guide\n\nThe server starts by itself."
    assert parsed.title == "Alpha Guide"
    assert parsed.metadata == {"author": "Ann B", "modified": "2026-01-02"}
    assert (parsed.media_type, parsed.language) == ("text/html", "en")


def test_headings_lists_tables_and_code_are_kept() -> None:
    html = """<h2>Steps<a href="#s">¶</a></h2><ol><li>one<ul><li>inner</li></ul></li><li><p>two</p><p>more</p></li></ol>
    <table><caption>Sizes</caption><thead><tr><th>name</th><th>a|b</th></tr></thead>
    <tbody><tr><td>x<br>y</td><td colspan="2">2</td></tr></tbody></table>
    <pre><code class="language-py"># no heading
    x = "```"</code></pre><blockquote><p>Said.</p></blockquote><p>Use <code>run</code>.<br># not a heading</p>"""
    assert body(html) == (
        "## Steps\n\n1. one\n   - inner\n2. two\n\n   more\n\nSizes\n\n"
        "| name | a\\|b |  |\n| --- | --- | --- |\n| x y | 2 |  |\n\n"
        '````py\n# no heading\n    x = "```"\n````\n\n> Said.\n\nUse `run`.\n\\# not a heading'
    )


def test_a_table_that_lays_out_a_page_is_read_cell_by_cell() -> None:
    assert body("<table><tr><td><h2>A</h2><p>one</p></td><td><p>two</p></td></tr></table>") == "## A\n\none\n\ntwo"


def test_what_is_hidden_or_of_use_for_navigation_only_goes() -> None:
    html = """<p hidden>h</p><div style="display: none">n</div><div aria-hidden="true">a</div>
    <ul class="pagination"><li>1</ul>
    <div role="navigation">r</div><div class="c-cookie-consent-bar">k</div><aside class="note">Kept note.</aside>
    <section class="has-sidebar" id="cookies"><h2>Cookies</h2><p>Kept.</p></section>"""
    assert body(html) == "Kept note.\n\n## Cookies\n\nKept."


def test_a_page_of_boilerplate_only_is_read_whole() -> None:
    assert read("<html><body><nav><a>Index</a> <a>Search</a></nav></body></html>", "a.htm").text == "Index Search"


def test_the_charset_comes_from_mark_then_label_then_guess() -> None:
    german = "<html><head>%s</head><body><p>Größe und Maße müssen geprüft werden</p></body></html>"
    label = german % '<meta http-equiv="content-type" content="text/html; charset=iso-8859-1">'
    wrong = german % '<meta charset="utf-8">'
    expected = "Größe und Maße müssen geprüft werden"
    assert read(label.encode("latin-1"), "a.html").text == expected
    bare = german % ""
    assert read(bare.encode("latin-1"), "a.html", "text/html; charset=windows-1252").text == expected
    assert read(bare.encode("utf-16"), "a.html").text == expected
    assert read(wrong.encode("latin-1"), "a.html").text == expected
    assert read(label.encode(), "a.html").text == expected


def test_broken_markup_reads_as_browsers_read_it() -> None:
    assert read("<p>one<p>two<b>bold<li>item<table><td>c", "x.html").text == "one\n\ntwobold\n\nitem\n\nc"
