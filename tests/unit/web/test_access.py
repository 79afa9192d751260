"""Who gets in: users, passwords, sessions, attempts, and where the page may listen at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from msgspec import structs
from typing_extensions import override

from coldchain.cli.user_commands import user as user_command
from coldchain.clock import SystemClock
from coldchain.web.sessions import Sessions
from coldchain.web.settings import ExposureError, PageSettings, check_exposure
from coldchain.web.station import Role
from coldchain.web.throttle import Throttle
from coldchain.web.users import User, Users, UsersError, make_user

WORD = "correct horse battery"


def quick_user(name: str, role: Role, password: str) -> User:
    """A user whose password costs little to prove."""
    return make_user(name, role, password, cost=2**4)


class StillClock(SystemClock):
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.ms = 1_000_000

    @override
    def utc_ms(self) -> int:
        return self.ms

    @override
    def real_s(self) -> float:
        return self.ms / 1000


@pytest.fixture
def users(tmp_path: Path) -> Users:
    """One operator, wang."""
    users = Users(tmp_path / "users.json")
    users.add(quick_user("wang", Role.OPERATOR, WORD))
    return users


# --- Users ------------------------------------------------------------------------------------------------


def test_a_password_is_kept_as_its_hash_only(users: Users) -> None:
    """The file holds neither the password nor anything that two users of one password share."""
    users.add(quick_user("li", Role.VIEWER, WORD))
    text = users.path.read_text()
    assert WORD not in text
    wang, li = users.all().values()
    assert wang.hash != li.hash
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "password", "right"),
    [
        pytest.param("wang", WORD, True, id="right"),
        pytest.param("wang", WORD + " ", False, id="one blank too many"),
        pytest.param("wang", "", False, id="none"),
        pytest.param("nobody", WORD, False, id="unknown name"),
        pytest.param("wang", WORD + "x" * 1000, False, id="right beginning, too long"),
    ],
)
def test_who_is_let_in(users: Users, name: str, password: str, right: bool) -> None:
    """Only name and password together let anybody in."""
    assert (users.verify(name, password) is not None) is right


def test_a_password_typed_on_another_keyboard_is_the_same(tmp_path: Path) -> None:
    """é as one character or as two is one password."""
    users = Users(tmp_path / "users.json")
    users.add(quick_user("anna", Role.VIEWER, "caf\u00e9 au lait, deux"))
    assert users.verify("anna", "cafe\u0301 au lait, deux") is not None


def test_a_change_by_another_process_counts_at_once(users: Users) -> None:
    """`coldchain user remove` works while the daemon runs."""
    users.add(quick_user("li", Role.VIEWER, WORD))
    other = Users(users.path)
    other.remove("wang")
    assert users.verify("wang", WORD) is None


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        pytest.param(b"{", 0o600, "truncated", id="cut off"),
        pytest.param(b'{"version":2,"users":[]}', 0o600, "newer", id="from a newer version"),
        pytest.param(b'{"version":1,"users":[{"name":"x"}]}', 0o600, "missing", id="a field is missing"),
        pytest.param(b'{"version":1,"users":[]}', 0o644, "chmod 600", id="readable by others"),
    ],
)
def test_a_damaged_file_is_never_no_users(tmp_path: Path, content: bytes, mode: int, says: str) -> None:
    """No users means open to this machine; a file that cannot be read must not mean that."""
    path = tmp_path / "users.json"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(UsersError, match=says):
        Users(path).all()


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("wang", "too short", id="password too short"),
        pytest.param("wang", "x" * 300, id="password too long"),
        pytest.param("unauthenticated", WORD, id="the name of nobody"),
        pytest.param("a b", WORD, id="blank in the name"),
        pytest.param("", WORD, id="no name"),
    ],
)
def test_what_makes_no_user(name: str, password: str) -> None:
    """A name that could be taken for something else, or a weak password, is refused with the reason."""
    with pytest.raises(UsersError):
        quick_user(name, Role.VIEWER, password)


def test_the_last_user_stays(users: Users) -> None:
    """Removing the last login would open the page to everybody on the machine."""
    with pytest.raises(UsersError, match="last user"):
        users.remove("wang")


def test_a_write_that_fails_changes_nothing(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves the old users whole and no litter behind."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsersError, match="nothing was changed"):
        users.add(quick_user("li", Role.VIEWER, WORD))
    assert list(Users(users.path).all()) == ["wang"]
    assert [path.name for path in users.path.parent.iterdir()] == ["users.json"]


# --- Sessions ---------------------------------------------------------------------------------------------


def test_a_session_outlives_a_restart(users: Users, tmp_path: Path) -> None:
    """A wall board comes back by itself after the daemon was restarted; the file alone lets nobody in."""
    clock = StillClock()
    path = tmp_path / "sessions.json"
    token = Sessions(path, users, clock, 60_000).open(users.all()["wang"])
    again = Sessions(path, users, clock, 60_000)
    assert again.user_of(token) == users.all()["wang"]
    assert token not in path.read_text()
    assert all(again.user_of(key) is None for key in msgspec.json.decode(path.read_bytes()))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("how", ["closed", "password changed", "user removed", "too old"])
def test_how_a_session_ends(users: Users, tmp_path: Path, how: str) -> None:
    """Log-out, another password, the user's removal and its end each end a session."""
    clock = StillClock()
    sessions = Sessions(tmp_path / "sessions.json", users, clock, 60_000)
    users.add(quick_user("li", Role.VIEWER, WORD))
    token = sessions.open(users.all()["wang"])
    assert sessions.user_of(token) is not None
    match how:
        case "closed":
            sessions.close(token)
        case "password changed":
            users.replace(quick_user("wang", Role.OPERATOR, WORD))
        case "user removed":
            users.remove("wang")
        case _:
            clock.ms += 60_001
    assert sessions.user_of(token) is None


def test_a_clock_that_booted_in_1970_logs_nobody_out(users: Users, tmp_path: Path) -> None:
    """A session made before the reboot lies in the future then, and stays good."""
    clock = StillClock()
    sessions = Sessions(tmp_path / "sessions.json", users, clock, 60_000)
    token = sessions.open(users.all()["wang"])
    clock.ms = 0
    assert sessions.user_of(token) is not None


def test_a_damaged_sessions_file_costs_a_login_only(users: Users, tmp_path: Path) -> None:
    """The page starts all the same."""
    path = tmp_path / "sessions.json"
    path.write_bytes(b"\x00")
    assert Sessions(path, users, StillClock(), 60_000).user_of("x") is None


# --- Attempts ---------------------------------------------------------------------------------------------


def test_failures_cost_ever_longer_waits() -> None:
    """A few tries are free, then each failure doubles the wait; a right password ends it."""
    clock = StillClock()
    throttle = Throttle(clock)
    assert [throttle.wait_s("wang", "10.0.0.1") for _ in range(5)] == [0.0] * 5
    waits = []
    for _ in range(4):
        wait_s = throttle.wait_s("wang", "10.0.0.1")
        waits.append(wait_s)
        clock.ms += int(wait_s * 1000)
        assert throttle.wait_s("wang", "10.0.0.1") == 0.0
    assert waits == [1.0, 2.0, 4.0, 8.0]
    throttle.succeeded("wang", "10.0.0.1")
    assert throttle.wait_s("wang", "10.0.0.1") == 0.0


def test_an_attacker_elsewhere_keeps_nobody_out() -> None:
    """Failures from one address do not make the same name wait at another."""
    throttle = Throttle(StillClock())
    while throttle.wait_s("wang", "10.6.6.6") == 0:
        pass
    assert throttle.wait_s("wang", "10.0.0.1") == 0


def test_trying_many_names_is_slowed_too() -> None:
    """An address that tries name after name waits, whatever the name."""
    throttle = Throttle(StillClock())
    tries = sum(throttle.wait_s(f"name-{i}", "10.6.6.6") == 0 for i in range(100))
    assert tries == 20


# --- Where the page may listen ----------------------------------------------------------------------------

HERE = PageSettings(host="127.0.0.1")
OUTSIDE = PageSettings(host="192.0.2.7")


def test_this_machine_alone_needs_nothing(tmp_path: Path) -> None:
    """On loopback the page starts without users and without TLS."""
    for host in ("127.0.0.1", "::1", "localhost", "127.0.0.2"):
        check_exposure(structs.replace(HERE, host=host), Users(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("change", "with_users", "says"),
    [
        pytest.param({}, False, "coldchain user add", id="others, no users"),
        pytest.param({}, True, "needs TLS", id="others, no TLS"),
        pytest.param({"host": "0.0.0.0", "tls": True}, True, "names", id="every address, no names"),
        pytest.param({"host": "::", "tls": True}, True, "names", id="every address of both kinds, no names"),
        pytest.param(
            {"host": "127.0.0.1", "behind_proxy": True}, False, "coldchain user add", id="a proxy on loopback"
        ),
        pytest.param({"behind_proxy": True}, True, "names", id="a proxy, no names"),
        pytest.param(
            {"certificate": Path("/nonexistent.pem")}, True, "belong together", id="certificate without key"
        ),
        pytest.param(
            {"host": "127.0.0.1", "tls": "gone"}, True, "not there", id="TLS files that are not there"
        ),
    ],
)
def test_where_it_must_not_start(
    users: Users, tmp_path: Path, change: dict[str, object], with_users: bool, says: str
) -> None:
    """Open to others without logins, or in clear, is refused, and the refusal says what to write."""
    with pytest.raises(ExposureError, match=says):
        check_exposure(_settings(tmp_path, change), users if with_users else Users(tmp_path / "none.json"))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"tls": True}, id="own TLS"),
        pytest.param({"behind_proxy": True, "names": ("cold.example.org",)}, id="a proxy's TLS"),
        pytest.param({"host": "0.0.0.0", "tls": True, "names": ("cold.example.org",)}, id="every address"),
    ],
)
def test_where_it_may_start(users: Users, tmp_path: Path, change: dict[str, object]) -> None:
    """With logins and TLS it may be open to others."""
    check_exposure(_settings(tmp_path, change), users)


def _settings(folder: Path, change: dict[str, object]) -> PageSettings:
    tls = change.pop("tls", None)
    if tls:
        certificate, key = folder / "c.pem", folder / "k.pem"
        if tls != "gone":
            certificate.touch()
            key.touch()
        change |= {"certificate": certificate, "key": key}
    return structs.replace(OUTSIDE, **change)


# --- The commands -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_commands(tmp_path: Path) -> None:
    """Add, list, change and remove logins, without ever showing a password."""
    file = str(tmp_path / "users.json")
    run = CliRunner()

    def said(*words: str, password: str = "") -> tuple[int, str]:
        result = run.invoke(user_command, [*words, "--file", file], input=password, catch_exceptions=False)
        return result.exit_code, result.output

    assert said("list")[1].startswith("no logins")
    code, output = said("add", "wang", "--role", "admin", "--password-stdin", password=WORD + "\n")
    assert code == 0
    assert "first login" in output
    assert said("add", "li", "--role", "viewer", password=f"{WORD}\n{WORD}\n")[0] == 0
    assert said("add", "li", "--role", "viewer", "--password-stdin", password=WORD + "\n")[0] == 1
    assert said("list")[1] == "wang  admin\nli  viewer\n"
    assert (
        said("passwd", "li", "--role", "operator", "--password-stdin", password="another long phrase\n")[0]
        == 0
    )
    assert Users(Path(file)).verify("li", "another long phrase") is not None
    assert said("passwd", "nobody", "--password-stdin", password=WORD)[0] == 1
    assert said("remove", "wang")[0] == 0
    assert json.loads(said("list", "--format", "json")[1]) == [{"name": "li", "role": "operator"}]
    assert WORD not in output
