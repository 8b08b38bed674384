"""Write each notebook's pair again: `notebooks/<name>.ipynb`, without outputs, from `notebooks/<name>.py`.

`make notebooks` runs it in the environment of the notebooks.
"""

from pathlib import Path

import jupytext
import nbformat

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"


def paired(source: Path) -> str:
    """Return the text of the .ipynb: the same for the same source, whoever writes it."""
    notebook = jupytext.read(source)
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number}"
    # The version of Jupytext that wrote a pair says nothing about it, and would change the file.
    notebook.metadata["jupytext"]["text_representation"].pop("jupytext_version", None)
    return nbformat.writes(notebook) + "\n"


if __name__ == "__main__":
    for source in sorted(FOLDER.glob("*.py")):
        source.with_suffix(".ipynb").write_text(paired(source), encoding="utf-8")
        print(f"make notebooks: {source.stem}.ipynb")
