"""Who may ask the http sink: tokens, guesses, tickets; rows of the security checklist."""

import asyncio
import hashlib
from pathlib import Path

import aiohttp
import pytest
from served import (
    BEARER,
    DELIBERATE,
    READ,
    TOKEN,
    Served,
    served,
    token_file,
)

from edge_fer.errors import ConfigError
from edge_fer.sinks.http import access, routes
from edge_fer.sinks.http.access import Access, Tickets, digest
from edge_fer.sinks.http.settings import read_settings, token_hash

OPEN = ("/", "/page.css", "/page.js", "/page.svg", "/healthz")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


# Token


@pytest.mark.parametrize("text", ["", "short", TOKEN[:31], "x" * 20 + " " + "y" * 20, "ü" * 40])
def test_f4_a_file_that_holds_no_token_is_refused(text: str, tmp_path: Path) -> None:
    settings = read_settings(f"0,token={token_file(tmp_path, text)}", allow_remote=False)
    with pytest.raises(ConfigError, match="no token"):
        token_hash(settings)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666])
def test_f4_a_token_that_others_can_read_is_refused_with_the_remedy(
    mode: int, tmp_path: Path
) -> None:
    settings = read_settings(f"0,token={token_file(tmp_path, mode=mode)}", allow_remote=False)
    with pytest.raises(ConfigError, match="chmod 600"):
        token_hash(settings)


def test_f4_a_missing_token_file_is_named(tmp_path: Path) -> None:
    settings = read_settings(f"0,token={tmp_path / 'none'}", allow_remote=False)
    with pytest.raises(ConfigError, match="none: No such file"):
        token_hash(settings)


def test_a_credential_of_systemd_may_be_readable_by_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = read_settings(f"0,token={token_file(tmp_path, mode=0o440)}", allow_remote=False)
    assert token_hash(settings) == hashlib.sha256(TOKEN.encode()).digest()


def test_only_the_hash_of_the_token_is_kept(locked: Served) -> None:
    assert TOKEN not in repr(vars(locked.sink)) + repr(vars(locked.sink._routes._guard._access))
    assert TOKEN not in repr(locked.setting)


@pytest.mark.parametrize("path", READ)
def test_authorisation_every_route_with_scope_read_asks_for_the_token(
    locked: Served, path: str
) -> None:
    answer = locked.ask(path)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert b"pi-hall" not in answer.body


@pytest.mark.parametrize("path", OPEN)
def test_authorisation_what_holds_nothing_of_the_device_is_open(locked: Served, path: str) -> None:
    answer = locked.ask(path)
    assert answer.status == 200
    assert b"pi-hall" not in answer.body


def test_authorisation_covers_the_whole_table(locked: Served) -> None:
    scopes = {path: route.scope for path, route in locked.sink._routes.table.items()}
    assert scopes == {
        **dict.fromkeys((*READ, "/api/v1/ws", "/api/v1/ticket", routes.PREVIEW), "read"),
        **dict.fromkeys(OPEN, "none"),
    }


def test_token_prefixes_suffixes_cases_and_its_hash_are_refused(locked: Served) -> None:
    wrong = [TOKEN[:n] for n in range(len(TOKEN))]
    wrong += [TOKEN + "x", TOKEN.swapcase(), TOKEN[1:], hashlib.sha256(TOKEN.encode()).hexdigest()]
    for one in wrong:
        assert locked.ask("/metrics", Authorization=f"Bearer {one}").status == 401, one


@pytest.mark.parametrize("credentials", [TOKEN, f"Basic {TOKEN}", f"bearer{TOKEN}", "Bearer", ""])
def test_token_of_another_scheme_is_refused(locked: Served, credentials: str) -> None:
    assert locked.ask("/metrics", Authorization=credentials).status == 401


def test_token_sent_twice_is_refused(locked: Served) -> None:
    line = f"Authorization: Bearer {TOKEN}"
    assert locked.raw("GET /metrics HTTP/1.1", line) == 200
    assert locked.raw("GET /metrics HTTP/1.1", line, line) in (400, 401)
    assert locked.raw("GET /metrics HTTP/1.1", "Authorization: Basic eA==", line) in (400, 401)


def test_token_in_a_url_is_refused(locked: Served) -> None:
    for name in ("token", "ticket", "access_token"):
        assert locked.ask(f"/api/v1/events?{name}={TOKEN}").status == 401


# Brute force


def test_brute_force_five_failures_a_minute_then_even_the_right_token_waits() -> None:
    clock = Clock()
    judge = Access(digest(TOKEN), clock).judge
    right, wrong = [f"Bearer {TOKEN}"], ["Bearer x"]
    assert [judge("a", wrong, None) for _ in range(6)] == [401] * 5 + [429]
    assert (judge("a", right, None), judge("b", right, None)) == (429, 200)
    clock.now += 61
    assert judge("a", right, None) == 200


def test_brute_force_from_many_addresses_meets_a_limit_too() -> None:
    clock = Clock()
    judge = Access(digest(TOKEN), clock).judge
    statuses = [judge(str(n), ["Bearer x"], None) for n in range(200)]
    assert statuses.count(401) == access.ALL_FAILURES


def test_brute_force_memory_is_bounded() -> None:
    clock = Clock()
    failures = access.Failures(clock)
    for n in range(3 * access.MOST_ADDRESSES):
        failures.add(str(n))
    assert len(failures._of) == access.MOST_ADDRESSES


def test_brute_force_x_forwarded_for_hides_nobody(tmp_path: Path) -> None:
    with served(tmp_path, f"0,token={token_file(tmp_path)}") as one:
        statuses = [
            one.ask("/metrics", Authorization="Bearer x", X_Forwarded_For=f"10.0.0.{n}").status
            for n in range(8)
        ]
        assert statuses == [401] * 5 + [429] * 3
        assert one.metric('edge_fer_http_rejected_total{reason="rate"}') == 3


def test_asking_without_a_token_is_no_guess(tmp_path: Path) -> None:
    with served(tmp_path, f"0,token={token_file(tmp_path)}") as one:
        assert {one.ask("/metrics").status for _ in range(10)} == {401}
        assert one.ask("/metrics", **BEARER).status == 200


# Tickets


def ticket(server: Served) -> str:
    answer = server.ask("/api/v1/ticket", "POST", b"{}", **BEARER, **DELIBERATE)
    assert answer.json["expires_s"] == 30
    return answer.json["ticket"]


def test_url_token_a_ticket_opens_one_stream_once(locked: Served) -> None:
    path = f"/api/v1/events?ticket={ticket(locked)}"
    locked.stream(path=path).close()
    assert locked.ask(path).status == 401


def test_url_token_a_ticket_opens_a_websocket(locked: Served) -> None:
    async def open_one(secret: str) -> int:
        async with aiohttp.ClientSession() as session:
            url = f"http://{locked.host}/api/v1/ws?ticket={secret}"
            try:
                async with session.ws_connect(url):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    secret = ticket(locked)
    assert [asyncio.run(open_one(secret)) for _ in range(2)] == [101, 401]


def test_url_token_a_ticket_opens_nothing_but_streams(locked: Served) -> None:
    for path in ("/metrics", "/api/v1/config", "/api/v1/latest"):
        assert locked.ask(f"{path}?ticket={ticket(locked)}").status == 401
    again = locked.ask(f"/api/v1/ticket?ticket={ticket(locked)}", "POST", b"{}", **DELIBERATE)
    assert again.status == 401


def test_url_token_a_ticket_ends_after_30_s_and_their_number_is_bounded() -> None:
    clock = Clock()
    tickets = Tickets(clock)
    late, taken = tickets.issue(), tickets.issue()
    assert (tickets.take(taken), tickets.take(taken)) == (True, False)
    clock.now += 30
    assert not tickets.take(late)
    for _ in range(2 * access.MOST_TICKETS):
        tickets.issue()
    assert len(tickets._ends) == access.MOST_TICKETS


def test_url_token_is_in_no_log(locked: Served, capfd: pytest.CaptureFixture[str]) -> None:
    secret = ticket(locked)
    locked.stream(path=f"/api/v1/events?ticket={secret}").close()
    locked.ask(f"/api/v1/events?ticket={secret}")
    captured = capfd.readouterr()
    assert secret not in captured.out + captured.err + locked.setting.metrics.text()
