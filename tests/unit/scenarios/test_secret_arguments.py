"""Secrets among the arguments of steps, in a run that is not recorded."""

from __future__ import annotations

import pytest

from antiphon import Actor, ExpectationFailed, action, call, play, scenario
from antiphon.journal.masking import Masker
from antiphon.scenarios.step import Step, may_take_secrets

SECRETS = ["Qz7hT9kLm2Xw4", "Rz8iU0lMn3Yx5", "Sz9jV1mNo4Zy6", "Tz0kW2nOp5Az7"]


class Caller(Actor):
    @action
    async def log_in(self, password: str) -> None:
        """Takes a secret."""

    @action
    async def say(self, text: str, **more: str) -> None:
        """May take one."""

    @action
    async def note(self, text: str) -> None:
        """Takes none."""


def check(token: str) -> None:
    """Takes a secret, and is no action."""


@scenario
async def forgetful(caller: Caller) -> None:
    await caller.log_in(SECRETS[0])
    await Caller.log_in(SECRETS[1])
    await caller.say("x", pwd=SECRETS[2])
    await call(check, SECRETS[3])
    caller.runtime.journal._ring.clear()  # as if 10,000 entries had come since
    raise ExpectationFailed(" ".join(SECRETS))


def test_secrets_of_steps_that_fell_out_of_memory_are_known() -> None:
    with pytest.raises(ExpectationFailed) as raised:
        play(forgetful, runs=None, linger_s=0)
    assert str(raised.value).count("***") == 4
    assert not any(secret in str(raised.value) for secret in SECRETS)


def test_only_actions_that_may_take_secrets_teach_any(monkeypatch: pytest.MonkeyPatch) -> None:
    taught: list[str] = []
    monkeypatch.setattr(Step, "teach", lambda self, masker: taught.append(self.name))

    @scenario
    async def mixed(caller: Caller) -> None:
        await caller.note("x")
        await caller.log_in("y")

    play(mixed, runs=None, linger_s=0)
    assert taught == ["log_in"]


def test_a_signature_tells_whether_secrets_may_come() -> None:
    assert may_take_secrets(check)
    assert may_take_secrets(Caller.say)
    assert not may_take_secrets(Caller.note)
    assert Masker(["pin"]).has_own_fields
