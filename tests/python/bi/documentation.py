"""The blocks of docs/bi.md, so that what is tested is what is written there."""

import re
from functools import cache

from orchestration.settings import PROJECT_DIR


@cache
def blocks(section: str, language: str) -> tuple[str, ...]:
    """The code blocks in a section of the page, in their order."""
    page = (PROJECT_DIR / "docs" / "bi.md").read_text(encoding="utf-8")
    (text,) = (part for part in re.split(r"^## ", page, flags=re.MULTILINE) if part.startswith(section + "\n"))
    return tuple(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL))


def filled(text: str, **values: object) -> str:
    """The text of a block with values in place of the capital letters; each must be there."""
    for name, value in values.items():
        assert name in text, f"{name} is not in {text!r}"
        text = text.replace(name, str(value))
    return text


def statements(block: str) -> list[str]:
    """The statements of a block of SQL."""
    return [statement.strip() for statement in block.split(";") if statement.strip()]
