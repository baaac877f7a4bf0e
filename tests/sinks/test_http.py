"""The routes of the http sink, asked by a real client."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from served import (
    BEARER,
    DELIBERATE,
    HANG_GUARD_S,
    Served,
    eventually,
    read_all,
    served,
    token_file,
)

from edge_fer.config import NOTICE, RunConfig
from edge_fer.daemon.events import SCHEMA
from edge_fer.emotions import Emotion
from edge_fer.errors import ConfigError
from edge_fer.sinks import open_sink
from edge_fer.sinks.http import Http, newest, settings
from edge_fer.sinks.http import sink as module
from edge_fer.sinks.http.answers import POLICY
from edge_fer.sinks.setting import Setting


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as one:
        one.hello()
        one.state("ok")
        yield one


def lines_of(client: socket.socket, wanted: int) -> list[dict]:
    """So many events of a stream."""
    got = b""
    while got.count(b"\n\n") < wanted:
        more = client.recv(65536)
        assert more
        got += more
    lines = [line for line in got.splitlines() if line.startswith(b"data: ")]
    return [json.loads(line[6:]) for line in lines[:wanted]]


def test_health_tells_the_state_of_the_camera(server: Served) -> None:
    eventually(lambda: server.ask("/healthz").json["camera_state"] == "ok")
    server.state("lost")
    lost = {"status": "degraded", "camera_state": "lost", "degraded": ["camera"]}
    eventually(lambda: server.ask("/healthz").json == lost)


def test_health_is_starting_before_the_first_event(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        assert server.ask("/healthz").json["camera_state"] == "starting"


def test_health_and_metrics_agree(server: Served) -> None:
    for state in ("lost", "ok", "stalled"):
        server.state(state)
        eventually(lambda state=state: server.ask("/healthz").json["camera_state"] == state)
        assert server.metric(f'edge_fer_camera_state{{camera="front",state="{state}"}}') == 1
        assert server.metric('edge_fer_camera_up{camera="front"}') == (state == "ok")


def test_latest_gives_the_newest_result(server: Served) -> None:
    server.update(Emotion.SAD)
    server.update(Emotion.HAPPY, None)
    eventually(lambda: server.ask("/api/v1/latest").json["event"])
    latest = server.ask("/api/v1/latest").json
    assert [face["emotion"] for face in latest["event"]["faces"]] == ["happy", "uncertain"]
    assert (latest["device"], latest["camera"]) == ("pi-hall", "front")


def test_c2_a_lost_camera_leaves_no_result_behind(server: Served) -> None:
    server.update(Emotion.HAPPY)
    eventually(lambda: server.ask("/api/v1/latest").json["event"])
    server.state("lost")
    eventually(lambda: server.ask("/api/v1/latest").json["event"] is None)


def test_an_old_result_is_no_result(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    server.update(Emotion.HAPPY)
    eventually(lambda: server.ask("/api/v1/latest").json["event"])
    monkeypatch.setattr(newest, "monotonic", lambda: time.monotonic() + newest.FRESH_S)
    assert server.ask("/api/v1/latest").json["event"] is None


def test_the_configuration_is_shown_without_what_could_hold_a_secret(tmp_path: Path) -> None:
    canary = "hunter2"
    sinks = (f"mqtt:host=b,user={canary}", f"http:0.0.0.0:80,token={canary}", "jsonl:-", "http:")
    with served(tmp_path, camera=f"stream:rtsp://u:{canary}@cam/?key={canary}", sinks=sinks) as one:
        answer = one.ask("/api/v1/config")
    assert canary.encode() not in answer.body
    assert answer.json["camera"] == "stream:***"
    assert answer.json["sinks"] == ["mqtt:***", "http:***", "jsonl:-", "http:"]
    assert (answer.json["purpose"], answer.json["notice"]) == ("test", NOTICE)


def test_every_setting_is_shown_or_hidden_by_name(server: Served) -> None:
    shown = server.ask("/api/v1/config").json
    assert set(shown) == set(RunConfig.__dataclass_fields__)
    assert "***" not in shown.values()


def test_a_stream_starts_with_hello_and_state_and_goes_on_with_updates(server: Served) -> None:
    eventually(lambda: server.ask("/healthz").json["camera_state"] == "ok")
    with server.stream() as client:
        first = lines_of(client, 2)
        server.update(Emotion.FEAR)
        (last,) = lines_of(client, 1)
    assert [event["type"] for event in (*first, last)] == ["hello", "state", "update"]
    assert [event["seq"] for event in (*first, last)] == [1, 2, 3]


def test_a_websocket_gets_one_event_a_message(server: Served) -> None:
    async def listen() -> list[dict]:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{server.host}/api/v1/ws") as ws,
        ):
            first = [await ws.receive_json(timeout=HANG_GUARD_S) for _ in range(2)]
            server.update(Emotion.ANGER)
            return [*first, await ws.receive_json(timeout=HANG_GUARD_S)]

    eventually(lambda: server.ask("/healthz").json["camera_state"] == "ok")
    got = asyncio.run(listen())
    assert [event["type"] for event in got] == ["hello", "state", "update"]
    assert {event["schema"] for event in got} == {SCHEMA}


@pytest.mark.parametrize("many", [11, 300])
def test_a_websocket_that_talks_too_much_is_closed(server: Served, many: int) -> None:
    async def talk() -> int | None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{server.host}/api/v1/ws") as ws,
        ):
            with suppress(ConnectionError):
                for _ in range(many):
                    await ws.send_str("hello?")
            async for _ in ws:
                pass
            return ws.close_code

    assert asyncio.run(talk()) in (1006, 1008)


def test_a_websocket_message_over_4_kib_closes_it(server: Served) -> None:
    async def shout() -> int | None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{server.host}/api/v1/ws") as ws,
        ):
            await ws.send_bytes(b"x" * 5000)
            async for _ in ws:
                pass
            return ws.close_code

    assert asyncio.run(shout()) == 1009


def test_a_plain_get_of_the_websocket_is_told_so(server: Served) -> None:
    assert server.ask("/api/v1/ws").status == 400


def test_metrics_are_read_by_the_prometheus_parser(server: Served) -> None:
    server.update(Emotion.HAPPY, dropped=2)
    answer = server.ask("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {one.name: one for one in text_string_to_metric_families(answer.body.decode())}
    assert families["edge_fer_camera_frames"].samples[0].value == 3
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6


def test_random_requests_add_no_series(server: Served) -> None:
    server.ask("/nowhere")
    before = server.setting.metrics.text().count("\n")
    for n in range(50):
        server.ask(f"/{n:x}/..%2f{n}")
        server.ask(f"/metrics?x={n}", "PUT")
    after = server.setting.metrics.text().count("\n")
    assert after - before <= 10  # those of one route and one more status


def test_the_description_names_every_route_with_its_scope(server: Served) -> None:
    described = server.ask("/openapi.json").json["paths"]
    table = server.sink._routes.table
    assert set(described) == set(table)
    for path, route in table.items():
        (operation,) = [described[path][route.method.lower()]]
        assert bool(operation["security"]) == (route.scope == "read"), path


def test_a_ticket_needs_a_deliberate_request(server: Served) -> None:
    post = {"method": "POST", "body": b"{}"}
    assert server.ask("/api/v1/ticket", **post, **DELIBERATE).status == 200
    assert server.ask("/api/v1/ticket", **post, X_Edge_Fer="1").status == 403
    assert server.ask("/api/v1/ticket", **post, Content_Type="application/json").status == 403
    plain = {"X-Edge-Fer": "1", "Content-Type": "text/plain"}
    assert server.ask("/api/v1/ticket", **post, **plain).status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
def test_only_the_method_of_a_route_is_answered(server: Served, method: str) -> None:
    answer = server.ask("/api/v1/config", method)
    assert answer.status == 405
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/nowhere", "/api/v1/ticket"])
def test_every_answer_carries_the_headers_of_safety(server: Served, path: str) -> None:
    headers = server.ask(path).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers


def test_refusals_at_the_door_carry_them_too(server: Served) -> None:
    headers = server.ask("/", Host="evil.test").headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["Cache-Control"] == "no-store"


def test_h4_a_port_in_use_ends_with_78_and_is_named(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PAUSE_S", 0.01)
    with pytest.raises(ConfigError, match=f"{server.port} is in use") as caught:
        open_sink(f"http:{server.port}")
    assert caught.value.exit_code == 78


def test_h4_a_port_that_is_taken_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocker = socket.create_server(("127.0.0.1", 0))
    port = blocker.getsockname()[1]
    monkeypatch.setattr(settings.time, "sleep", lambda _: blocker.close())
    with served(tmp_path, f"127.0.0.1:{port}") as server:
        assert server.ask("/healthz").status == 200


def test_h4_where_the_page_is_not_required_the_port_is_taken_once_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings, "PAUSE_S", 0.01)
    monkeypatch.setattr(module, "FREE_S", 0.1)
    blocker = socket.create_server(("127.0.0.1", 0))
    port = blocker.getsockname()[1]
    with served(tmp_path, f"127.0.0.1:{port},required=no") as server:
        assert "going on without the page" in capsys.readouterr().err
        server.hello()
        server.state("ok")
        server.update(Emotion.HAPPY)
        assert server.sink.backlog == 0
        blocker.close()
        eventually(lambda: "live page" in capsys.readouterr().err)
        eventually(lambda: server.ask("/healthz").json["camera_state"] == "ok")


def test_h4_a_page_that_never_got_its_port_closes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PAUSE_S", 0.01)
    with (
        socket.create_server(("127.0.0.1", 0)) as blocker,
        served(tmp_path, f"127.0.0.1:{blocker.getsockname()[1]},required=no") as server,
    ):
        server.update(Emotion.HAPPY)


def test_both_loopback_addresses_are_served_on_one_port(server: Served) -> None:
    with socket.create_connection(("::1", server.port), HANG_GUARD_S) as client:
        client.sendall(f"GET /healthz HTTP/1.1\r\nHost: [::1]:{server.port}\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 200"


def test_without_a_purpose_no_http_sink_opens() -> None:
    with pytest.raises(ConfigError, match="purpose"):
        RunConfig(sinks=("http:",))


def test_closing_ends_streams_and_frees_the_port(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        client = server.stream()
    with client, suppress(ConnectionError):
        read_all(client)
    with served(tmp_path / "again", f"127.0.0.1:{server.port}") as again:
        assert again.ask("/healthz").status == 200


def test_writing_after_the_end_is_harmless(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        pass
    server.update(Emotion.HAPPY)


def test_a_route_that_fails_says_500_and_the_reason_is_a_notice(
    server: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server.sink._newest, "health", lambda: 1 / 0)
    answer = server.ask("/healthz")
    assert (answer.status, "ZeroDivision" in answer.body.decode()) == (500, False)
    eventually(lambda: "ZeroDivisionError" in capsys.readouterr().err)


def test_the_sink_needs_only_its_argument(tmp_path: Path) -> None:
    sink = Http(f"0,token={token_file(tmp_path)}")
    sink.close()
    assert sink.port


def test_a_token_on_loopback_is_asked_for(tmp_path: Path) -> None:
    with served(tmp_path, f"0,token={token_file(tmp_path)}") as server:
        assert server.ask("/metrics").status == 401
        assert server.ask("/metrics", **BEARER).status == 200
        assert server.ask("/healthz").status == 200


def test_metrics_of_a_setting_are_those_of_its_sinks(tmp_path: Path) -> None:
    setting = Setting()
    sink = open_sink("http:0", setting)
    sink.close()
    assert "edge_fer_http" not in setting.metrics.text()
