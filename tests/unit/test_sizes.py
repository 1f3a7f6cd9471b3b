"""What a wire or a dialect costs in lines, without blanks, comments and docstrings: a new one is a small file.

One side of a wire or dialect has less than 100 lines, both sides in one file less than 150, and the wires that are
streams of bytes by themselves (tcp, unix, stdio) less than 60. What is above that is named here with its number, which
may only become smaller: whoever makes it so writes down the new one.
"""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

import antiphon

ROOT = Path(antiphon.__file__).parent

BYTES, ONE_SIDE, BOTH_SIDES = 60, 100, 150
LIMITS = {
    **dict.fromkeys(["tcp", "unix", "stdio", "stdio_listener"], BYTES),
    **dict.fromkeys(["http_stream", "http_stream_connection", "http_stream_listener"], ONE_SIDE),
    **dict.fromkeys(["client", "connection", "incoming", "listener"], ONE_SIDE),  # of grpc
    **dict.fromkeys(["graphql_ws", "graphql_server", "mqtt", "mqtt_server", "resp", "resp_server"], ONE_SIDE),
    **dict.fromkeys(
        ["event_stream", "json", "jsonrpc", "lsp", "ocpp", "packed", "plain", "protobuf", "stomp"], BOTH_SIDES
    ),
}
"""By the file's name. What several share (packets, frames, values, notations, the seams) is no side of anything, and
WebSocket is not one of them: RFC 6455 is kept here, in a room of its own."""

ABOVE = {
    "tcp": 64,  # proxies, and TLS as data, for client and listener
    "stdio": 143,  # a process has a group, a standard error, an exit code and three ways to end
    "stdio_listener": 66,
    "http_stream": 167,  # a page is refused, and two ways to ask, one of them again and again
    "http_stream_connection": 142,
    "http_stream_listener": 144,
    "client": 100,
    "connection": 113,  # what both sides of a stream of gRPC have, and the client's
    "listener": 115,
    "mqtt": 168,
    "resp": 122,
    "jsonrpc": 210,  # batches, and both versions
    "stomp": 177,
}


def lines_of_code(path: Path) -> int:
    text = path.read_text()
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings |= {*range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    said = {line for each in tokens if each.type not in blank for line in range(each.start[0], each.end[0] + 1)}
    return len(said - docstrings)


def sides() -> dict[str, Path]:
    folders = ("transport", "transport/stream", "transport/grpc", "dialect")
    found = [path for folder in folders for path in (ROOT / folder).glob("*.py") if path.stem in LIMITS]
    shared = ROOT / "transport" / "stream" / "connection.py"  # of all streams of bytes
    return {path.stem: path for path in found if path != shared}


def test_every_side_is_a_small_file_or_is_named() -> None:
    paths = sides()
    assert paths.keys() == LIMITS.keys()
    counted = {name: lines_of_code(path) for name, path in paths.items()}
    assert {name: lines for name, lines in counted.items() if lines >= LIMITS[name]} == ABOVE


@pytest.mark.parametrize(
    ("text", "lines"),
    [('"""Doc."""\n\n# why\nx = 1  # and\n', 1), ('def f():\n    """Doc\n    more."""\n    return """a\nb"""\n', 3)],
)
def test_what_counts(tmp_path: Path, text: str, lines: int) -> None:
    (tmp_path / "m.py").write_text(text)
    assert lines_of_code(tmp_path / "m.py") == lines
