"""One document in this process: the parser of its format, then what all texts go through."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from headrace.errors import MissingDependency
from headrace.knowledge.parse import language, media
from headrace.knowledge.parse.blocks import too_deep, too_much_text
from headrace.knowledge.parse.clean import clean, one_line
from headrace.knowledge.parse.document import empty
from headrace.knowledge.parse.outcome import Draft, Parsed, Unparsable

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse

Parser = Callable[[bytes, str | None, "Parse"], Draft]


def parse_here(content: bytes, media_type: str, charset: str | None, limits: "Parse") -> Parsed:
    """Parse without a limit of time. Raises Unparsable or MissingDependency, nothing else."""
    try:
        return _finished(_parser(media_type)(content, charset, limits), limits)
    except Unparsable:
        raise
    except ImportError as error:
        raise _missing(error) from error
    except RecursionError:
        raise too_deep(limits.max_depth) from None
    except MemoryError:
        raise out_of_memory() from None
    except Exception as error:  # Parsers meet damaged input with errors of every type.
        raise not_readable(media_type, type(error).__name__) from error


def out_of_memory() -> Unparsable:
    """The error for a document that needs more memory than a helper has."""
    todo = "Split the document; something in it may be a bomb."
    return Unparsable("expands too much", expected="a document that fits into 2 GiB", found="more", todo=todo)


def not_readable(media_type: str, found: str) -> Unparsable:
    """The error for damaged content."""
    todo = "Open the document in its own program; store it again if it was cut off."
    return Unparsable("not readable", expected=f"valid {media_type}", found=found, todo=todo)


def _parser(media_type: str) -> Parser:
    # Imported one by one: a worker loads only the libraries of formats it meets.
    if media_type == media.MARKDOWN:
        from headrace.knowledge.parse.markdown import parse_markdown as parser
    elif media_type == media.HTML:
        from headrace.knowledge.parse.html import parse_html as parser
    elif media_type == media.PDF:
        from headrace.knowledge.parse.pdf import parse_pdf as parser
    elif media_type == media.DOCX:
        from headrace.knowledge.parse.docx import parse_docx as parser
    elif media_type == media.CSV:
        from headrace.knowledge.parse.delimited import parse_csv as parser
    elif media_type == media.JSON:
        from headrace.knowledge.parse.jsons import parse_json as parser
    elif media_type == media.JSON_LINES:
        from headrace.knowledge.parse.jsons import parse_json_lines as parser
    else:
        from headrace.knowledge.parse.markdown import parse_text as parser
    return parser


def _finished(draft: Draft, limits: "Parse") -> Parsed:
    text = clean(draft.text)
    if len(text) > limits.max_characters:
        raise too_much_text(limits.max_characters)
    if not text.strip():
        raise empty("no text in it")
    metadata = {name: value for name, raw in draft.metadata.items() if (value := one_line(raw))}
    spoken = language.detect(text) or language.code(draft.language)
    return Parsed(one_line(draft.title), text, draft.media_type, spoken, metadata)


def _missing(error: ImportError) -> MissingDependency:
    return MissingDependency(
        expected="the packages that read documents",
        found=f"no module {error.name}",
        todo="pip install 'headrace[knowledge]'",
    )
