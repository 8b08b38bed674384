"""The formats of trainers, by name. A new one is a file with a `FORMAT`, a line here and its limits in limits.yaml."""

from headrace.errors import ConfigError
from headrace.training.formats import (
    converse,
    distillation,
    jumpstart_chat,
    jumpstart_instruction,
    jumpstart_text,
    nova,
    openai_chat,
    sagemaker_dpo,
    trl_dpo,
    trl_kto,
    trl_sft,
)
from headrace.training.formats.format import Format

FORMATS: dict[str, Format] = {
    one.FORMAT.name: one.FORMAT
    for one in (
        jumpstart_instruction, jumpstart_chat, jumpstart_text, converse, openai_chat, sagemaker_dpo,
        nova, distillation, trl_sft, trl_dpo, trl_kto,
    )
}  # fmt: skip


def format_named(name: str, where: str = "format") -> Format:
    """The format of that name.

    Raises:
        ConfigError: there is none; `where` says which setting named it.
    """
    if name not in FORMATS:
        todo = "docs/dataset-formats.md says what each is for."
        raise ConfigError(where=where, expected=f"one of {', '.join(FORMATS)}", found=name, todo=todo)
    return FORMATS[name]
