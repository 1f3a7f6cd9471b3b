"""What an author wrote down at a place."""

from __future__ import annotations

from pathlib import Path

from antiphon.load.literals import literals_at


def test_the_texts_and_numbers_of_the_statement(tmp_path: Path) -> None:
    file = tmp_path / "calls.py"
    file.write_text(
        "async def talk(self):\n"
        "    x = 7\n"
        "    await self.expect(\n"
        '        "state",  # 99\n'
        '        where={"state": "connected", "id": self.id, "seat": f"{x}"},\n'
        "        check={'code': 200, 'share': 2.5},\n"
        "    )\n"
        "    y = 8\n"
    )
    assert literals_at(f"{file}:3") == {
        *((str, text) for text in ("state", "connected", "id", "seat", "code", "share")),
        (int, 200),
        (float, 2.5),
    }
    assert literals_at(f"{file}:8") == {(int, 8)}


def test_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text('call("a", (\n')
    assert literals_at(f"{broken}:1") == {(str, "a")}
    for place in ("", "calls.py", f"{tmp_path}/gone.py:3", f"{broken}:77", "<stdin>:1"):
        assert literals_at(place) == frozenset()
