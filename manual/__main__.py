"""Assemble the site's pages in `.manual/`."""

from __future__ import annotations

import shutil

from manual.pages import attached_files, written_pages
from manual.places import ASSEMBLED, ROOT
from manual.reference import entries, reference_pages


def main() -> None:
    """Write them anew."""
    shutil.rmtree(ASSEMBLED, ignore_errors=True)
    pages = written_pages(entries()) | reference_pages()
    for place, page in pages.items():
        _write(place, page.encode())
    for place in attached_files(pages):
        _write(place, (ROOT / place).read_bytes())


def _write(place: str, data: bytes) -> None:
    file = ASSEMBLED / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


if __name__ == "__main__":
    main()
