"""The Python of the pages as files, for type checkers: `python -m manual.code FOLDER`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from manual.blocks import BLOCKS, joined

__all__ = ["write_code"]


def write_code(folder: Path) -> list[Path]:
    """Write a file for each page with Python, and for each block that says itself which file it is; gives them."""
    folder.mkdir(parents=True, exist_ok=True)
    texts: dict[str, str] = {}
    for block in BLOCKS:
        if block.language != "python" or block.reason is not None:
            continue
        page = re.sub(r"\W", "_", block.page.removesuffix(".md")).lower()
        texts[block.title or f"{page}.py"] = block.text if block.title else joined(block.page, "python")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


if __name__ == "__main__":
    write_code(Path(sys.argv[1]))
