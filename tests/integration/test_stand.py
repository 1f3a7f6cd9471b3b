"""Stands: where the system under test lives."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from antiphon import ScenarioError, Stand, Step, User, call, load_stand, play, scenario
from antiphon.journal import Called
from antiphon.stand.starting import started


@pytest.fixture
def stand_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    below = tmp_path / "deep" / "down"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    return tmp_path / "antiphon.toml"


def test_the_file_is_found_above_and_the_default_taken(stand_file: Path) -> None:
    stand_file.write_text(
        'default = "b"\n[stands.a]\ncentre = "http://a"\n[stands.b]\ncentre = "http://b/"\nwithin_s = 2\n'
    )
    assert load_stand().name == "b"
    assert load_stand().within_s == 2
    assert load_stand("a").resolve("{centre}/desk?seat={seat}", {"seat": 4}) == "http://a/desk?seat=4"
    assert load_stand("b").resolve("{centre}/desk", {}) == "http://b/desk"


def test_a_file_near_the_scenario_serves_where_there_is_none_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "antiphon.toml").write_text('[stands.only]\nx = "http://x"\n')
    monkeypatch.chdir(elsewhere)
    assert load_stand(near=project).name == "only"
    (elsewhere / "antiphon.toml").write_text('[stands.mine]\nx = "http://y"\n')
    assert load_stand(near=project).name == "mine"


def test_without_a_file_there_is_an_empty_stand(stand_file: Path) -> None:
    assert load_stand().addresses == {}
    with pytest.raises(ScenarioError, match=r"no stand 'local': no antiphon.toml here or above"):
        load_stand("local")


def test_an_unknown_stand_names_those_there_are(stand_file: Path) -> None:
    stand_file.write_text('[stands.a]\nx = "http://a"\n[stands.b]\nx = "http://b"\n')
    with pytest.raises(ScenarioError, match=r"no stand 'c'\n  at .*antiphon.toml\n  hint: there are: a, b"):
        load_stand("c")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[stands.a\n", "this is no TOML: .*line 1"),
        (f"x = {'[' * 2_000}{']' * 2_000}", r"nested too deeply\n  at .*antiphon.toml:1$"),
        (f"x = {'9' * 4_400}", r"a number of more than \d+ digits\n  at .*antiphon.toml:1$"),
        ("stands = 3", "stands is not a table"),
        ('[stands.a]\nusers = "a\\u0000.csv"', "stands.a.users is not a file"),
        ("[stands]\na = 3", "stands.a is not a table"),
        ("[stands.a]\nx = 5", "stands.a.x is not an address"),
        (
            "[stands.a]\nusers = [{ password = 'x' }]",
            "stands.a.users is not a file, .*, or a list of tables with a name",
        ),
        ("[stands.a]\nstart = 'nothing'", 'stands.a.start is not "module:attribute"'),
        ("[stands.a]\nusers = 3", "stands.a.users is not a file"),
        ("[stands.a]\nusers_within_s = true", "stands.a.users_within_s is not a number of seconds"),
        ("[stands.a]\nwithin_s = -1", "stands.a.within_s is not a number of seconds above 0"),
        ("[stands.a]\nsecrets = 'pin'", "stands.a.secrets is not a list"),
        ("[stands.a]\nx = 'http://${NO_SUCH_VARIABLE}/'", "stands.a.x needs the environment variable NO_SUCH_VARIABLE"),
    ],
)
def test_a_malformed_file_is_one_clear_error(stand_file: Path, text: str, told: str) -> None:
    stand_file.write_text(text)
    with pytest.raises(ScenarioError, match=told) as wrong:
        load_stand("a")
    assert str(stand_file) in str(wrong.value)


def test_environment_variables_are_filled_in(stand_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "s3cret")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("NOT_THERE", raising=False)
    stand_file.write_text(
        '[stands.a]\nhost = "http://${NOT_THERE:-here.example}:${EMPTY:-80}/${EMPTY}$${PW}"\n'
        'users = [{ name = "u", password = "${PW}", line = 7 }]\n[stands.b]\nhost = "${NOT_THERE}"'
    )
    stand = load_stand("a")
    assert stand.addresses == {"host": "http://here.example:80/${PW}"}
    assert stand.users.fields() == [{"name": "u", "password": "s3cret", "line": 7}]
    assert stand.environment == {"PW": "s3cret", "EMPTY": ""}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("${NO_SUCH}", r"stands\.a\.x needs the environment variable NO_SUCH, which is not set"),
        ("http://${}/", r"stands\.a\.x has '\$\{\}', which names no environment variable"),
        ("${TWO WORDS}", "which names no environment variable"),
        ("${OPEN", "which names no environment variable"),
    ],
)
def test_a_variable_that_is_missing_or_none_is_told_with_its_line(stand_file: Path, value: str, told: str) -> None:
    stand_file.write_text(f'# a comment\n[stands.a]\ny = "http://y"\nx = "{value}"\n')
    with pytest.raises(ScenarioError, match=told) as wrong:
        load_stand("a")
    assert wrong.value.place == f"{stand_file}:4"


@pytest.mark.parametrize(
    ("value", "told", "line"),
    [
        ("[" * 2000 + "]" * 2000, "nested too deeply", 5),
        ("[\n" * 2000 + "]\n" * 2000, "nested too deeply", 2004),
        ("{a=" * 2000 + "1" + "}" * 2000, "nested too deeply", 5),
        ("9" * 4400, "a number of more than 4300 digits", 5),
        ("-" + "9_" * 4400 + "9", "a number of more than 4300 digits", 5),
        ("0.5\na" + ".a" * 3000 + " = 1", "stands.local.a is nested too deeply", 6),
        ("0.5\nusers = [{ name = 'x', a" + ".a" * 3000 + " = 1 }]", "stands.local.users is nested too deeply", 6),
        ("0x" + "f" * 5000, "stands.local.within_s is not a number of seconds", 5),
        ("nan", "stands.local.within_s is not a number of seconds", 5),
        ("inf", "stands.local.within_s is not a number of seconds", 5),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_stand_file_that_is_too_much_is_one_clear_error(stand_file: Path, value: str, told: str, line: int) -> None:
    stand_file.write_text(f'# a "comment" with [brackets]\n\n[stands.local]\nx = "[]["\nwithin_s = {value}\n')
    with pytest.raises(ScenarioError, match=told) as wrong:
        load_stand("local")
    assert wrong.value.place == f"{stand_file}:{line}"


@pytest.mark.parametrize(
    ("value", "told", "line"),
    [
        ('y = 5\nx = "a"', "stands.a.y is not an address", 4),
        ('x = ""', "stands.a.x is not an address", 4),
        ('x = "ws://h\\u0000/"', r"stands.a.x has a character that cannot be seen: \\x00\n", 4),
        ('x = """ws://h\n/"""', r"stands.a.x has a character that cannot be seen: \\n\n", 4),
        ('\n"x" = "ws://\\u202eh/"', "stands.a.x has a character that cannot be seen", 5),
        ('x.y.z = "http://h"', "stands.a.x is not an address", 4),
        ('[stands.a.x]\ny = "http://h"', "stands.a.x is not an address", 4),
        ('users = [\n  { name = "a" },\n  { name = "b\\u0007" },\n]', r"cannot be seen: b\\x07", None),
        ('users = [{ name = " " }]', "this user has no name", None),
        ('[[stands.a.users]]\npassword = "x"', "stands.a.users is not a file", 4),
        ("x = 'a'\nx = 'b'", "Cannot overwrite a value", 5),
        ("x = '''a\n\n", "this is no TOML", 6),
        ("within_s = true", "stands.a.within_s is not a number", 4),
    ],
)
def test_a_wrong_value_of_a_stand_is_told_with_its_line(
    stand_file: Path, value: str, told: str, line: int | None
) -> None:
    stand_file.write_text(f"# a comment\n\n[stands.a]\n{value}\n")
    with pytest.raises(ScenarioError, match=told) as wrong:
        load_stand("a")
    assert wrong.value.place == (f"{stand_file}:{line}" if line is not None else str(stand_file))


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ('default = ["a"]\n[stands.a]', "default is not the name of a stand"),
        ('default = "b"\n[stands.a]', "there is no stand 'b'"),
        ("stands = { a = { x = 3 } }", "stands.a.x is not an address"),
    ],
)
def test_a_wrong_value_beside_the_stands_is_told_with_its_line(stand_file: Path, document: str, told: str) -> None:
    stand_file.write_text(document)
    with pytest.raises(ScenarioError, match=told) as wrong:
        load_stand()
    assert wrong.value.place == f"{stand_file}:1"


@pytest.mark.parametrize(
    ("data", "told", "line", "hint"),
    [
        ("name,x\na,b\n".encode("utf-16"), "byte 0xff is no UTF-8", 1, "UTF-16"),
        ("name,x\na,b\nc,café\n".encode("latin-1"), "byte 0xe9 is no UTF-8", 3, "save it as UTF-8"),
        (b"\xef\xbb\xbfname\n\xff\n", "byte 0xff is no UTF-8", 2, "save it as UTF-8"),
        (b"name,x\rb,c\ra," + b"x" * 131_073, "a value has more than 131,072 characters", 3, "a quote"),
        (b'name,x\na,"b"c\n', "this is no CSV", 2, "quotes"),
        (b"name,x\na\n", "there are 1 values for 2 fields", 2, "quotes"),
        (b"name,x\n,b\n", "this user has no name", 2, "name"),
        (b"name,x\nb,c\na\x00,b\n", r"cannot be seen: a\\x00", 3, "can be seen"),
        ("name\na\u202eb\n".encode(), r"cannot be seen: a\\u202eb", 2, "can be seen"),
        (b"name\na\nb\na\n", "two users named 'a'", 4, "of its own"),
    ],
)
def test_a_wrong_line_of_the_users_is_told_with_its_number_and_a_hint(
    stand_file: Path, data: bytes, told: str, line: int, hint: str
) -> None:
    stand_file.write_text('[stands.a]\nusers = "users.csv"\n')
    file = stand_file.parent / "users.csv"
    file.write_bytes(data)
    with pytest.raises(ScenarioError, match=told) as wrong:
        load_stand("a")
    assert wrong.value.place == f"{file}:{line}"
    assert wrong.value.hint is not None
    assert hint in wrong.value.hint


def test_a_stand_file_in_another_encoding_is_told_with_the_line(stand_file: Path) -> None:
    stand_file.write_bytes('[stands.a]\nx = "café"\n'.encode("latin-1"))
    with pytest.raises(ScenarioError, match="the stand file cannot be read: byte 0xe9 is no UTF-8") as wrong:
        load_stand("a")
    assert wrong.value.place == f"{stand_file}:2"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_users_are_read_from_a_regular_file_only(stand_file: Path, make: Callable[[Path], None]) -> None:
    stand_file.write_text('[stands.a]\nusers = "users.csv"\n')
    make(stand_file.parent / "users.csv")
    with pytest.raises(ScenarioError, match="the users cannot be read: it is no regular file"):
        load_stand("a")


def test_an_address_that_is_wrong_is_not_shown_with_the_password_in_it(
    stand_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "looking-glass\n")  # as of a file that was read into it
    stand_file.write_text('[stands.a]\nx = "ws://u:${PW}@h/"\n')
    with pytest.raises(ScenarioError, match=r"has a character that cannot be seen: \\n\n") as wrong:
        load_stand("a")
    assert "looking-glass" not in str(wrong.value)
    assert "line break" in str(wrong.value.hint)


def test_a_field_of_a_user_may_have_any_name(stand_file: Path) -> None:
    stand_file.write_text("[stands.a]\nusers = [{ name = 'x', self = 'y' }]\n")
    assert load_stand("a").users.fields() == [{"name": "x", "self": "y"}]


def test_users_may_stand_in_a_file_beside(stand_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "s3cret")
    stand_file.write_text('[stands.a]\nusers = "users.csv"\nusers_within_s = 0.5\n')
    (stand_file.parent / "users.csv").write_text(
        '\ufeffname;password;role;skills[]\nalice;${PW};;sales, second line\n\n"bob";"a ""b"" c";supervisor;\n'
    )
    stand = load_stand("a")
    assert stand.users.fields() == [
        {"name": "alice", "password": "s3cret", "skills": ["sales", "second line"]},
        {"name": "bob", "password": 'a "b" c', "role": "supervisor"},
    ]
    assert stand.users_within_s == 0.5
    assert stand.environment == {"PW": "s3cret"}


def test_any_field_of_users_may_be_a_list_and_any_other_is_text(stand_file: Path) -> None:
    stand_file.write_text('[stands.a]\nusers = "users.csv"\n')
    (stand_file.parent / "users.csv").write_text(
        'name,skills,queues [],note\na,"sales, billing","north,south",""\nb,,north;south,"two\nlines"\nc,,,\n'
    )
    assert load_stand("a").users.fields() == [
        {"name": "a", "skills": "sales, billing", "queues": ["north", "south"]},
        {"name": "b", "queues": ["north", "south"], "note": "two\nlines"},
        {"name": "c"},
    ]


@pytest.mark.parametrize(
    ("table", "told", "line"),
    [
        (None, "the users cannot be read", None),
        ("name,skills,skills[]\na,b,c\n", "the first line does not name the fields", 1),
        ("name,[]\na,b\n", "the first line does not name the fields", 1),
        ("name[]\na\n", "the first line does not name the fields", 1),
        ("name,role[]\na,b\nc,d;;e\n", "an item of 'role' is empty", 3),
        ('name,note\na,"two\u2028lines"\nb\n', "there are 1 values for 2 fields", 3),
        ("", "the first line does not name the fields", 1),
        ("user,password\na,b\n", "the first line does not name the fields", 1),
        ("name,name\na,b\n", "the first line does not name the fields", 1),
        ("name,password\nalice\n", "there are 1 values for 2 fields", 2),
        ("name,password\n,x\n", "this user has no name", 2),
        ('name,password\nalice,"x\n', "this is no CSV", 2),
        ("name,password\nalice,${NO_SUCH}\n", "needs the environment variable NO_SUCH", 2),
        ("name\nalice\nalice\n", "two users named 'alice'", None),
    ],
)
def test_a_malformed_table_of_users_is_one_clear_error(
    stand_file: Path, table: str | None, told: str, line: int | None
) -> None:
    stand_file.write_text('[stands.a]\nusers = "users.csv"\n')
    file = stand_file.parent / "users.csv"
    if table is not None:
        file.write_text(table)
    with pytest.raises(ScenarioError, match=told) as wrong:
        load_stand("a")
    if line is not None:
        assert wrong.value.place == f"{file}:{line}"


def test_a_secret_of_the_environment_is_masked(stand_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "looking-glass-7")
    stand_file.write_text('[stands.a]\nx = "http://x/${API_TOKEN}"\n')

    @scenario
    def showing() -> list[Step[Any]]:
        return [call(lambda: load_stand("a").resolve("{x}/here", {}), save_as="shown")]

    entries: list[Any] = []
    play(showing, stand="a", runs=None, watch=entries.append)
    assert [entry.result for entry in entries if isinstance(entry, Called)] == ["'http://x/***/here'"]


def test_a_user_says_what_it_has() -> None:
    with pytest.raises(ScenarioError, match="the user 'a' has no 'line'"):
        User(name="a").line


def test_an_address_that_is_not_there_is_named() -> None:
    with pytest.raises(
        ScenarioError, match=r"needs 'center', which the stand 's' does not have(.|\n)*its addresses are: centre"
    ):
        Stand("s", {"centre": "http://c"}).resolve("{center}/desk", {})


@asynccontextmanager
async def told_as_addresses() -> AsyncIterator[dict[str, str]]:
    yield {"centre": "ws://there"}


@asynccontextmanager
async def told_with_users() -> AsyncIterator[SimpleNamespace]:
    yield SimpleNamespace(addresses={"centre": "ws://there"}, users=[{"name": "ann"}])


@pytest.mark.parametrize(("make", "users"), [(told_as_addresses, []), (told_with_users, [{"name": "ann"}])])
@pytest.mark.asyncio
async def test_what_a_stand_starts_tells_its_addresses_and_its_users_if_it_has_any(
    make: Callable[[], Any], users: list[dict[str, str]]
) -> None:
    async with started(Stand(start=f"{__name__}:{make.__name__}")) as stand:
        assert stand.resolve("{centre}/desk", {}) == "ws://there/desk"
        assert stand.users.fields() == users
