"""The site has every page, and every link of a page leads somewhere: on the site, and where the repository is read."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from manual.blocks import BLOCKS
from manual.check import troubles
from manual.code import write_code
from manual.markdown import LINK, anchors, outside_of_code
from manual.pages import attached_files, written_pages
from manual.places import ROOT, page_files
from manual.reference import reference_pages

PAGES = [str(file.relative_to(ROOT)) for file in page_files()]


def read(place: str) -> str:
    return (ROOT / place).read_text(encoding="utf-8")


def links_of(page: str) -> list[str]:
    found: list[str] = []
    outside_of_code(page, lambda text: LINK.sub(lambda link: found.append(link["target"]) or "", text))
    return found


@pytest.mark.parametrize("place", [*PAGES, "AGENTS.md", "llms.txt"])
def test_links_lead_somewhere(place: str) -> None:
    astray = []
    for link in links_of(read(place)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = Path(os.path.normpath((ROOT / place).parent / path)) if path else ROOT / place
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            astray.append(link)
    assert astray == []


def navigation() -> list[str]:
    """The places that `mkdocs.yml` names, in order. It has a tag of Python's, which no safe reader knows."""
    return re.findall(r"^ +- [^:\n]+: (\S+\.md)$", read("mkdocs.yml").partition("\nnav:\n")[2], re.MULTILINE)


def test_every_page_is_in_the_navigation_once() -> None:
    assert sorted(navigation()) == sorted(written_pages({}) | reference_pages())


def test_links_to_folders_and_files_of_examples_lead_to_their_pages() -> None:
    page = written_pages({})["docs/LOAD.md"]
    assert "(../examples/call_tool/README.md)" in page
    assert "(desk.py)" not in page
    assert "## desk.py" in written_pages({})["examples/contact_centre/README.md"]


def test_what_pages_lead_to_beside_pages_is_taken_along() -> None:
    pages = {"docs/LOAD.md": "[one](../pyproject.toml) [page](REPORTS.md) [far](https://a.example/x.py)"}
    assert attached_files(pages) == ["pyproject.toml"]


def test_names_of_the_reference_lead_there_once_and_not_in_code() -> None:
    page = written_pages({"together": "reference/words.md#together"})["docs/WRITING_SCENARIOS.md"]
    assert page.count("](../reference/words.md#together)") == 1
    assert "[`together`](../reference/words.md#together)" in page
    assert "    together,\n" in page


def test_what_is_wrong_with_a_built_site_is_told(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<link rel="stylesheet" href="https://fonts.example/a.css"><h1 id="top">A</h1>'
        '<a href="#top">1</a><a href="more.html#there">2</a><a href="more.html#gone">3</a><a href="lost.html">4</a>'
        '<a href="https://elsewhere.example">5</a>'
    )
    (tmp_path / "more.html").write_text('<p id="there">')
    assert troubles(tmp_path) == [
        "index.html fetches https://fonts.example/a.css",
        "index.html leads to more.html#gone",
        "index.html leads to lost.html",
    ]
    assert troubles(tmp_path / "none") == [f"there are no pages in {tmp_path / 'none'}"]


def test_what_is_told_to_models_has_every_guide() -> None:
    told = read("llms.txt")
    of_ours = {"PERFORMANCE.md", "CONFORMANCE.md", "WATCHING_A_LOAD.md", "LOAD_REPORT.md"}
    guides = {page.name for page in (ROOT / "docs").glob("*.md")} - of_ours
    assert [name for name in sorted(guides) if f"(docs/{name})" not in told and "FROM_THE_TALK" not in name] == []


def test_the_lines_below_the_readmes_picture_are_those_of_the_example() -> None:
    (shown,) = [block.text for block in BLOCKS if str(block) == "README.md: @scenario"]
    assert shown in read("examples/contact_centre/transfers.py")
    assert (ROOT / "docs/trace.png").read_bytes().startswith(b"\x89PNG")


def test_the_code_of_pages_is_written_for_type_checkers(tmp_path: Path) -> None:
    files = write_code(tmp_path / "code")
    assert {"readme.py", "docs_howto_silence.py", "echoes.py"} <= {file.name for file in files}
    for file in files:
        compile(file.read_text(encoding="utf-8"), file.name, "exec")
