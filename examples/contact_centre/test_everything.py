"""A desk at which everything happens at once, as a test: `pytest test_everything.py`."""

from everything import busy_desk

from antiphon.pytest import Play


def test_busy_desk(play: Play) -> None:
    run = play(busy_desk, strict=True)

    assert run.value["state"] == "finished"
    assert run.clerk.interaction_id == run.caller.interaction_id != run.writer.interaction_id
