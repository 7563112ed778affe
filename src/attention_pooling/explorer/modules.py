"""The figures' ES modules and style sheets, of which a widget wants one file each."""

import re
from pathlib import Path

HERE = Path(__file__).parent
# An import or a re-export from a file beside the one that has it, always by the same names.
FROM = re.compile(
    r'^(?:(?:import|export) \{[^}]*\} from|@import) "\./([\w-]+\.\w+)";\n', re.MULTILINE
)


def joined(entry):
    """Return a module, with its default export alone, or a style sheet, and all that it imports.

    Names at the top of the modules must differ, since they come to stand side by side.

    Parameters
    ----------
    entry : str
        A file's name.

    Returns
    -------
    str
    """
    texts = {}

    def visit(name):
        if name not in texts:
            text = (HERE / name).read_text(encoding="utf-8")
            for needed in FROM.findall(text):
                visit(needed)
            texts[name] = FROM.sub("", text)

    visit(entry)
    return re.sub(r"^export (?!default)", "", "\n".join(texts.values()), flags=re.MULTILINE)
