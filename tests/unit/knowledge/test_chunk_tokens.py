"""The counter: as high as what real tokenizers make of a text, for texts of many kinds.

Measured once with the tokenizers of WordLlama (Llama 2), of `anthropic` 0.34 (Claude 2) and of all-MiniLM-L6-v2 (BERT).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.knowledge.tokens import count

# The highest of those whose vocabulary has the script.
MEASURED = {
    "The search index follows the documents, and only what has changed is embedded again.": 16,
    "Die Rechtsschutzversicherungsgesellschaften der Donaudampfschifffahrtsgesellschaft veröffentlichen "
    "Grundstücksverkehrsgenehmigungen.": 46,
    "https://example.org/search/documents?page=12&sort=changed_at#results": 23,
    "Paid 1234567.89 on 2026-11-25 at 19:50:03, invoice 3f1c09a7be21d9aa.": 54,
    "def count(self, text: str) -> int:\n    return sum(len(word) for word in text.split())": 30,
    "| name | value |\n|---|---|\n| alpha | 12 |\n| beta | 340 |": 28,
    "这是一个关于搜索索引的简短段落。": 24,
    "検索インデックスは文書に従い、変更された部分だけを埋め込みます。": 41,
    "검색 색인은 문서를 따라가며 변경된 부분만 다시 임베딩합니다.": 57,
    "สวัสดีครับ ดัชนีการค้นหาติดตามเอกสาร": 60,
    "Поисковый индекс следует за документами и заново встраивает только изменённое.": 37,
    "😀 👍🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️ 🎉": 53,
}


@pytest.mark.parametrize("text", MEASURED)
def test_no_tokenizer_makes_many_more_tokens_nor_far_fewer(text: str) -> None:
    assert 0.85 * MEASURED[text] <= count(text) <= 1.4 * MEASURED[text]


def test_white_space_is_free() -> None:
    assert count(" \t\r\n a \n\n b ") == count("a b") == 2


def test_nothing_else_is() -> None:
    assert all(count(character) for character in map(chr, range(0x3000)) if not character.isspace())


@given(st.text(), st.text())
def test_texts_put_together_make_as_many_tokens_as_both(one: str, other: str) -> None:
    assert count(f"{one} {other}") == count(one) + count(other)
