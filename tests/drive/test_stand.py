"""Stands: where the system under test lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon import ScenarioError, Stand, User, load_stand


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
        ("stands = 3", "stands is not a table"),
        ("[stands]\na = 3", "stands.a is not a table"),
        ("[stands.a]\nx = 5", "stands.a.x is not an address"),
        ("[stands.a]\nusers = [{ password = 'x' }]", "stands.a.users is not a list of tables with a name"),
        ("[stands.a]\nstart = 'nothing'", 'stands.a.start is not "module:attribute"'),
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
    stand_file.write_text('[stands.a]\nusers = [{ name = "u", password = "${PW}", line = 7 }]\n')
    user = load_stand("a").lend_user()
    assert user is not None
    assert (user.name, user.password, user.line) == ("u", "s3cret", 7)


def test_a_user_is_lent_to_one_at_a_time() -> None:
    stand = Stand("s", users=[{"name": "a"}, {"name": "b"}])
    first, second = stand.lend_user(), stand.lend_user()
    assert first is not None
    assert second is not None
    assert {first.name, second.name} == {"a", "b"}
    with pytest.raises(ScenarioError, match="all users of the stand 's' are taken"):
        stand.lend_user()
    stand.take_back(first)
    assert stand.lend_user() is first
    assert Stand().lend_user() is None


def test_a_user_says_what_it_has() -> None:
    with pytest.raises(ScenarioError, match="the user 'a' has no 'line'"):
        User(name="a").line


def test_an_address_that_is_not_there_is_named() -> None:
    with pytest.raises(
        ScenarioError, match=r"needs 'center', which the stand 's' does not have(.|\n)*its addresses are: centre"
    ):
        Stand("s", {"centre": "http://c"}).resolve("{center}/desk", {})
