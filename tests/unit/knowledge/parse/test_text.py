"""Markdown, plain text, CSV and JSON."""

import pytest

from .builders import read

SENTENCES = {
    "cp1252": [
        "Die Sitzung wurde auf Dienstag verschoben, weil der große Raum für die Prüfung belegt war.",
        "Le contrat est résilié à la fin du mois; l\u2019intéressé a été prévenu.",
        "El niño comió una manzana en la mañana, ¿verdad? Sí señor.",
        "Overview of the \u201cZürich\u201d project \u2013 prices in €",
        "Kosten 5 €",
        "Mötet flyttades till på tisdag eftersom rummet är upptaget",
        "Café",
    ],
    "cp1251": ["Совет директоров решил перенести заседание на вторник, потому что зал занят."],
    "koi8-r": ["Совет директоров решил перенести заседание на вторник, потому что зал занят."],
    "iso8859-2": [
        "Posiedzenie zostało przełożone na wtorek, ponieważ sala była zajęta. Proszę o wyrozumiałość.",
        "Příliš žluťoučký kůň úpěl ďábelské ódy na schůzi výboru",
    ],
    "cp1250": [
        "Posiedzenie zostało przełożone na wtorek, ponieważ sala była zajęta. Proszę o wyrozumiałość.",
        "Příliš žluťoučký kůň úpěl ďábelské ódy na schůzi výboru",
    ],
    "cp932": ["会議は火曜日に延期されました。部屋が使用中だったためです。ご了承ください。"],
    "euc_jp": ["会議は火曜日に延期されました。部屋が使用中だったためです。ご了承ください。"],
    "gb18030": ["会议推迟到星期二\uff0c因为房间正在使用中。请大家谅解。"],
    "big5": ["會議延至星期二\uff0c因為房間正在使用中。請大家諒解。"],
    "cp949": ["회의실이 사용 중이어서 회의가 화요일로 연기되었습니다. 양해 바랍니다."],
    "cp1253": ["Η συνεδρίαση αναβλήθηκε για την Τρίτη επειδή η αίθουσα ήταν κατειλημμένη."],  # noqa: RUF001
    "cp1254": ["Toplantı salı gününe ertelendi, çünkü oda doluydu. Anlayışınız için teşekkür ederiz."],  # noqa: RUF001
    "cp1255": ["הישיבה נדחתה ליום שלישי כי החדר תפוס"],
    "cp1256": ["تم تأجيل الاجتماع إلى يوم الثلاثاء لأن القاعة مشغولة"],
    "utf-16": ["Grüße aus Köln"],
    "utf-16-le": ["Grüße aus Köln"],
    "utf-16-be": ["Grüße aus Köln"],
    "utf-32": ["Grüße aus Köln"],
    "utf-8-sig": ["Grüße aus Köln"],
}


@pytest.mark.parametrize("charset, text", [(name, text) for name, texts in SENTENCES.items() for text in texts])
def test_the_charset_of_plain_text_is_found(charset: str, text: str) -> None:
    assert read(text.encode(charset), "a.txt").text == text


def test_text_is_tidied() -> None:
    messy = "\ufeffone \t\r\ntwo\u00a0words\rthree\u2028four\n\n\n\ne\u0301\x00\x07soft\u00adhyphen\n\n"
    assert read(messy, "a.txt").text == "one\ntwo words\nthree\nfour\n\n\u00e9softhyphen"


def test_a_cut_utf8_character_costs_one_character() -> None:
    assert read("Grüße aus Köln und Würzburg ü".encode()[:-1], "a.txt").text == "Grüße aus Köln und Würzburg \ufffd"


@pytest.mark.parametrize(
    "text, language",
    [
        ("Refunds are made within thirty days of the return of all goods.", "en"),
        ("Die Rückzahlung erfolgt innerhalb von dreißig Tagen nach der Rückgabe.", "de"),
        ("会議は火曜日に延期されました。部屋が使用中だったためです。", "ja"),
        ("Hello world", None),
        ("a1 b2 c3 d4 e5 f6 g7 h8 i9 j10 k11 " * 20, None),
        ("```\nfor item in items: print(item, end='and so on with the words')\n```\nok", None),
    ],
)
def test_the_language_is_told_only_when_sure(text: str, language: str | None) -> None:
    assert read(text, "a.md").language == language


def test_front_matter_becomes_title_and_metadata() -> None:
    yaml = "---\ntitle: Guide\ntags: [a, b]\ndate: 2024-01-02\nlang: de-AT\nnested: {x: 1}\n---\n\n# Start\n"
    parsed = read(yaml, "a.md")
    assert (parsed.title, parsed.text, parsed.language) == ("Guide", "# Start", "de")
    assert parsed.metadata == {"tags": "a, b", "date": "2024-01-02"}
    assert read('+++\ntitle = "T"\ndraft = true\n+++\nx', "a.md").metadata == {"draft": "true"}


@pytest.mark.parametrize("block", ["a: &x [1]\nb: *x", "[", "- list\n- only", "a: !!python/object:os.system {}"])
def test_front_matter_that_cannot_be_used_is_text(block: str) -> None:
    assert read(f"---\n{block}\n---\n\nText\n", "a.md").text.endswith("Text")
    assert read(f"---\n{block}\n---\n\nText\n", "a.md").metadata == {}


def test_markdown_headings_are_of_one_kind_and_code_stays() -> None:
    code = "```sh\n# no\n\n\n\nUnder\n===\n<!-- kept -->\n```\n\n* a\n---"
    parsed = read("Head\n====\n\ntext\n<!-- gone\n# gone\n-->\nSub\n---\n\n" + code, "a.md")
    assert (parsed.text, parsed.title) == ("# Head\n\ntext\n\n## Sub\n\n" + code, "Head")


def test_rows_of_csv_are_paragraphs() -> None:
    assert read('name;note\nAnn;"x; y\nz"\n\nBob;\n', "a.csv").text == "name: Ann\nnote: x; y z\n\nname: Bob"
    assert read("1,2\n3,4\n", "a.csv").text == "column 1: 1\ncolumn 2: 2\n\ncolumn 1: 3\ncolumn 2: 4"
    assert read("a\tb\n1\t2,5\n", "a.tsv").text == "a: 1\nb: 2,5"


def test_json_is_flat_and_without_positions() -> None:
    value = (
        '{"title": "T", "a": {"b": [1, 2.50, {"c": "x"}, {"c": "y"}]}, "n": null, "t": "one\\n\\ntwo", "s": "\\ud800"}'
    )
    parsed = read(value, "a.json")
    assert parsed.text == "title: T\na.b: 1, 2.50\n\na.b.c: x\n\na.b.c: y\n\nt:\n\none\n\ntwo\n\ns: \ufffd"
    assert parsed.title == "T"


def test_json_lines_are_paragraphs_whatever_they_are_called() -> None:
    lines = '{"a": 1, "b": true}\n\n{"a": 2}\n'
    for name in ("a.jsonl", "a.json"):
        parsed = read(lines, name)
        assert (parsed.text, parsed.media_type) == ("a: 1\nb: true\n\na: 2", "application/x-ndjson")
