import pytest

from headrace.errors import ConfigError
from headrace.pipelines.tables_view import key_forms


@pytest.mark.parametrize(
    ("text", "kinds", "forms"),
    [
        ("42", ["bigint"], ['["42"]']),
        ("[42]", ["bigint"], ['["42"]']),
        ("Ada Löve", ["string"], ['["Ada Löve"]']),
        ('["a", 1]', ["string", "int"], ['["a","1"]']),
        ("[1.50, true]", ["decimal(9,2)", "boolean"], ['["1.50","true"]']),
        ("2024-01-31", ["date"], ['["2024-01-31"]', '["19753"]']),
        ("[draft", ["string"], ['["[draft"]']),
        ("[1, 2]", ["bigint"], ['["[1, 2]"]']),
        ("[]", ["string"], ['["[]"]']),
        ("2024-01-31 10:00:00", ["timestamp"],
         ['["2024-01-31 10:00:00"]', '["1706695200000000"]', '["2024-01-31T10:00:00"]', '["2024-01-31 10:00:00Z"]']),
    ],
)  # fmt: skip
def test_a_key_is_looked_for_as_the_log_and_as_the_tables_write_it(text, kinds, forms):
    assert key_forms(text, kinds) == forms


@pytest.mark.parametrize("text", ["42", "[1]", "[1, 2", "[1, 2, 3]"])
def test_a_key_of_two_columns_needs_two_values(text):
    with pytest.raises(ConfigError, match="expected a JSON array of 2 values"):
        key_forms(text, ["bigint", "bigint"])
