"""Whether an object is being thrown away by the very statement that made it: how a forgotten `await` is noticed.

`__del__` of a step asks this. It is called by CPython the moment the last reference goes (reference counting), in the
middle of the instruction that lets it go; so the frame below says which statement that is. A statement that makes a
value for nothing drops it with one of a few instructions, on the line where the value was written. A step that is kept
anywhere (a variable, a list, a task) is let go elsewhere: by a `STORE`, by the end of its frame, by the collector.

Relied upon: reference counting; `sys._getframe`; `frame.f_lasti` is the offset of the instruction at work and
`co_code` has it without specialisation or instrumentation (CPython 3.11 to 3.14, also under coverage and a debugger);
`co_positions()` has one item for each two bytes (documented). The names of instructions are looked up in `dis.opname`:
3.13 tests truth with TO_BOOL where 3.11 and 3.12 do it in the jump, 3.14 adds NOT_TAKEN and POP_ITER, which drop no
value of a statement. Objects that another thread made are let go later by free-threaded builds.

Tried instead: a warning in `__del__` without a look at the frame (every step in a list that a failure cut short was a
false alarm), the source's syntax tree (misses steps made by functions, and is not there for typed code).

Where any of this does not hold (no frames, another interpreter, an unknown instruction, code without lines), it cannot
be told and counts as kept: the author gets no help, and no false alarm.
"""

from __future__ import annotations

import sys
from dis import opname
from itertools import islice
from types import FrameType
from typing import Final

from antiphon.runtime.call_site import Place, place

__all__ = ["is_discarded"]


def is_discarded(written: Place) -> bool:
    """To be asked by a `__del__`: whether the statement at that place has made its object for nothing."""
    try:
        frame = sys._getframe(2)
    except (AttributeError, ValueError):  # not CPython; or nothing but the interpreter's own end below `__del__`
        return False
    first, last = _lines_at_work(frame) if _instruction_at_work(frame) in _DROPPING else (0, -1)
    return any(place(frame.f_code.co_filename, line) == written for line in range(first, last + 1))


def _instruction_at_work(frame: FrameType) -> str:
    code, offset = frame.f_code.co_code, frame.f_lasti
    return opname[code[offset]] if 0 <= offset < len(code) else ""


def _lines_at_work(frame: FrameType) -> tuple[int, int]:
    """The first and the last line of what the instruction belongs to; no lines if they are not known."""
    line, last_line, _, _ = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    if line is None:
        return 0, -1
    return line, last_line or line  # under `python -X no_debug_ranges` only the first is known


# JUMP_IF_…_OR_POP, of `and` and `or`, is 3.11's alone.
_DROPPING: Final = frozenset(name for name in opname if name.startswith(("POP_JUMP", "JUMP_IF"))) | {
    "COMPARE_OP",
    "POP_TOP",
    "TO_BOOL",  # from Python 3.13 on
    "UNARY_NOT",
}
