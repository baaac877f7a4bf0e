"""Who may ask the http sink: tokens, tickets, hosts, origins; rows of the security checklist."""

import asyncio
import hashlib
import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from served import (
    BEARER,
    DELIBERATE,
    HANG_GUARD_S,
    TOKEN,
    Served,
    eventually,
    read_all,
    served,
    status_of,
    token_file,
)

from edge_fer.config import RunConfig
from edge_fer.errors import ConfigError
from edge_fer.sinks.http import access, routes
from edge_fer.sinks.http.access import Access, Tickets, digest
from edge_fer.sinks.http.settings import read_settings, token_hash

READ = (
    *("/metrics", "/openapi.json", "/api/v1/latest", "/api/v1/config", "/api/v1/history"),
    "/api/v1/events",
)
OPEN = ("/", "/page.css", "/page.js", "/page.svg", "/healthz")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as one:
        yield one


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """With a token, and without a limit on guessing."""
    monkeypatch.setattr(access.Failures, "too_many", lambda *_: False)
    with served(tmp_path, f"0,token={token_file(tmp_path)}") as one:
        yield one


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


# Bind


@pytest.mark.parametrize("place", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:127.0.0.1]:0"])
def test_bind_elsewhere_needs_a_token_a_flag_and_a_name(place: str, tmp_path: Path) -> None:
    token = token_file(tmp_path)
    with pytest.raises(ConfigError, match="token=FILE"):
        read_settings(f"{place},names=pi.local", allow_remote=True)
    with pytest.raises(ConfigError, match="--http-allow-remote"):
        read_settings(f"{place},names=pi.local,token={token}", allow_remote=False)
    assert read_settings(f"{place},names=pi.local,token={token}", allow_remote=True).remote


def test_bind_to_every_address_needs_the_names_that_clients_use(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names="):
        read_settings(f"0.0.0.0:0,token={token_file(tmp_path)}", allow_remote=True)


@pytest.mark.parametrize(
    "argument", ["", "0", "localhost:0", "127.0.0.1:0", "[::1]:0", "127.0.0.2:0", "port=0"]
)
def test_bind_to_loopback_needs_nothing(argument: str) -> None:
    assert not read_settings(argument, allow_remote=False).remote


def test_bind_listens_where_it_was_told_and_nowhere_else(server: Served) -> None:
    listening = {
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()
        if line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "0A"
    }
    assert {place.partition(":")[0] for place in listening} == {
        "0100007F",
        "00000000000000000000000001000000",
    }


def test_bind_remote_is_really_served_with_the_token_under_its_name(tmp_path: Path) -> None:
    argument = f"0.0.0.0:0,names=pi.local,token={token_file(tmp_path)}"
    with served(tmp_path, argument, http_allow_remote=True) as one:
        host = f"pi.local:{one.port}"
        assert one.ask("/metrics", Host=host).status == 401
        assert one.ask("/metrics", Host=host, **BEARER).status == 200
        assert one.ask("/metrics", Host=f"0.0.0.1:{one.port}", **BEARER).status == 421


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("pi.local:8787", "pi.local"),
        ("127.0.0.1", "ADDRESS:PORT"),
        ("127.0.0.1:http", "ADDRESS:PORT"),
        (":8787", "ADDRESS:PORT"),
        ("70000", "70000"),
        ("8787,toekn=FILE", "toekn"),
        ("8787,names=a b", "a b"),
        ("8787,names=<b>", "<b>"),
    ],
)
def test_a_wrong_spec_is_refused_by_what_is_wrong(argument: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        read_settings(argument, allow_remote=True)


def test_f3_every_misspelt_option_of_a_secret_is_refused() -> None:
    for i in range(len("token")):
        with pytest.raises(ConfigError, match="unknown option"):
            read_settings(f"8787,{'token'[:i]}x{'token'[i + 1 :]}=FILE", allow_remote=True)


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    argument = f"192.0.2.1:0,token={token_file(tmp_path)}"
    with (
        pytest.raises(ConfigError, match=r"192\.0\.2\.1:0 is no address of this machine"),
        served(tmp_path, argument, http_allow_remote=True),
    ):
        pass


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


# Host


def wrong_hosts(port: int) -> dict[str, list[str]]:
    return {
        "another": [f"evil.test:{port}"],
        "absent": [],
        "two": [f"127.0.0.1:{port}", f"127.0.0.1:{port}"],
        "two different": [f"127.0.0.1:{port}", "evil.test"],
        "longer": [f"127.0.0.1.evil.test:{port}"],
        "decimal": [f"2130706433:{port}"],
        "hexadecimal": [f"0x7f000001:{port}"],
        "short": [f"127.1:{port}"],
        "trailing dot": [f"localhost.:{port}"],
        "no port": ["127.0.0.1"],
        "another port": [f"127.0.0.1:{port - 1}"],
        "port with zeros": [f"127.0.0.1:0{port}"],
        "port twice": [f"127.0.0.1:{port}:{port}"],
        "user": [f"x@127.0.0.1:{port}"],
        "without brackets": [f"::1:{port}"],
        "long loopback": [f"[0:0:0:0:0:0:0:1]:{port}"],
        "empty": [""],
    }


@pytest.mark.parametrize("path", ["/healthz", "/", "/metrics", "/api/v1/ws"])
@pytest.mark.parametrize("case", wrong_hosts(2))
def test_host_that_is_not_exactly_ours_gets_421(server: Served, case: str, path: str) -> None:
    hosts = wrong_hosts(server.port)[case]
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    assert server.raw(f"GET {path} HTTP/1.1", *upgrade, host=hosts) == 421


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_host_loopback_with_the_right_port_passes(server: Served, name: str) -> None:
    assert server.raw("GET /healthz HTTP/1.1", host=[f"{name}:{server.port}"]) == 200


def test_host_in_the_target_does_not_replace_the_header(server: Served) -> None:
    assert server.raw("GET http://evil.test/healthz HTTP/1.1") == 421
    assert server.raw(f"GET http://{server.host}/healthz HTTP/1.1") == 421


def test_host_hidden_behind_a_bare_line_feed_is_refused(server: Served) -> None:
    assert server.raw("GET /healthz HTTP/1.1", "X: a\nHost: evil.test") in (0, 400, 421)


# Origin, CSRF, CORS


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "https://127.0.0.1", "file://", ""])
@pytest.mark.parametrize("path", [*READ, "/api/v1/ws"])
def test_csrf_another_origin_gets_403(server: Served, path: str, origin: str) -> None:
    assert server.ask(path, Origin=origin).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_csrf_a_page_of_another_site_gets_403(server: Served, site: str) -> None:
    assert server.ask("/api/v1/latest", Sec_Fetch_Site=site).status == 403


def test_csrf_our_own_page_passes(server: Served) -> None:
    own = {"Origin": f"http://{server.host}", "Sec-Fetch-Site": "same-origin"}
    assert server.ask("/api/v1/latest", **own).status == 200


def test_csrf_a_websocket_of_another_origin_gets_403(server: Served) -> None:
    async def open_one(origin: str) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{server.host}/api/v1/ws", origin=origin),
        ):
            pass

    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        asyncio.run(open_one("http://evil.test"))
    asyncio.run(open_one(f"http://{server.host}"))


def test_cors_is_not_spoken(server: Served) -> None:
    for origin in ("http://evil.test", f"http://{server.host}"):
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = server.ask("/api/v1/ticket", "OPTIONS", **preflight)
        assert answer.status == 405
        assert "access-control" not in json.dumps(answer.headers).lower()


# Traversal and hostile bytes


def traversals() -> list[str]:
    steps = [
        "..",
        "%2e%2e",
        "..%2f..",
        "%252e%252e",
        "..%5c..",
        "..\\..",
        ".%2e",
        "....//",
        "%c0%ae",
    ]
    ends = ["etc/passwd", "page.css", "routes.py", "page.css%00.html", "settings.py"]
    starts = ["/", "//", "/page.css/", "/static/", "/%2f", "/./", "/\\\\host\\"]
    return [f"{start}{step}/{end}" for start in starts for step in steps for end in ends][:250]


def test_traversal_finds_nothing(server: Served) -> None:
    for path in traversals():
        assert server.raw(f"GET {path} HTTP/1.1") in (400, 404), path


@pytest.mark.parametrize("path", ["//", "/page.css/", "/./page.css", "/%70age.css", "/PAGE.css"])
def test_only_the_exact_path_is_a_route(server: Served, path: str) -> None:
    assert server.raw(f"GET {path} HTTP/1.1") == 404


SMUGGLED = {
    "both lengths": "Content-Length: 4\r\nTransfer-Encoding: chunked",
    "two lengths": "Content-Length: 4\r\nContent-Length: 5",
    "length with a sign": "Content-Length: +4",
    "negative length": "Content-Length: -4",
    "length is a word": "Content-Length: four",
    "odd coding": "Transfer-Encoding: xchunked",
    "space before colon": "Transfer-Encoding : chunked",
    "folded": "X: a\r\n b",
    "no name": ": x",
    "NUL": "X: \0",
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_ambiguous_requests_get_one_answer_at_most_and_the_server_lives(
    server: Served, case: str
) -> None:
    head = f"POST /api/v1/ticket HTTP/1.1\r\nHost: {server.host}\r\n{SMUGGLED[case]}\r\n\r\n"
    hidden = f"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: {server.host}\r\n\r\n"
    with server.connect() as client:
        client.sendall((head + hidden).encode())
        client.settimeout(HANG_GUARD_S)
        try:
            got = read_all(client)
        except ConnectionError:
            got = b""
    assert got.count(b"HTTP/1.1 ") <= 1
    assert b"edge_fer_" not in got
    assert server.ask("/healthz").status == 200


def test_random_bytes_leave_the_server_alive(server: Served) -> None:
    rng = random.Random(7)
    base = f"GET /healthz HTTP/1.1\r\nHost: {server.host}\r\nX: y\r\n\r\n".encode()
    for _ in range(150):
        hurt = bytearray(base)
        for _ in range(rng.randint(1, 6)):
            hurt[rng.randrange(len(hurt))] = rng.randrange(256)
        with server.connect() as client:
            client.sendall(bytes(hurt))
            client.shutdown(socket.SHUT_WR)
            try:
                got = read_all(client)
            except ConnectionError:
                continue
        assert status_of(got) in (0, 200, 400, 404, 405, 413, 414, 421, 505), bytes(hurt)
    assert server.ask("/healthz").status == 200


def test_http_1_0_and_2_are_no_way_around(server: Served) -> None:
    assert server.raw("GET /metrics HTTP/1.0", host=[]) == 421
    assert server.raw("PRI * HTTP/2.0") in (400, 405, 421, 505)


def test_a_purpose_is_shown_by_the_api_as_it_was_written(tmp_path: Path) -> None:
    purpose = '<img src=x onerror=alert(1)> "{{7*7}}" \u202eart'
    with served(tmp_path, purpose=purpose) as one:
        answer = one.ask("/api/v1/config")
        assert answer.json["purpose"] == purpose
        assert answer.headers["Content-Type"] == "application/json"
        one.hello()
        eventually(lambda: one.sink._newest._lines)
        assert b"img src" not in one.ask("/metrics").body


def test_the_flag_is_a_setting() -> None:
    assert not RunConfig().http_allow_remote
