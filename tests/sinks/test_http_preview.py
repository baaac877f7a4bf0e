"""The preview, the history and windows, as a client gets them."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from served import BEARER, DELIBERATE, Served, eventually, prediction, served, status_of, token_file

from edge_fer.cli import main
from edge_fer.commands.run import completed
from edge_fer.config import NOTICE, RunConfig
from edge_fer.daemon.events import Event
from edge_fer.emotions import LABELS, Emotion
from edge_fer.errors import ConfigError
from edge_fer.sinks import Sinks
from edge_fer.sinks.http import feed, history
from edge_fer.sinks.http.history import BINS, History
from edge_fer.sinks.http.redact import PREVIEW_NOTICE

SCENE = np.random.default_rng(3).integers(0, 255, (480, 640, 3), np.uint8)
URL = "/api/v1/preview/front"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, preview="faces", sinks=("http:0",)) as one:
        one.hello()
        one.state("ok")
        yield one


def pictures(server: Served, wanted: int, client: socket.socket) -> list[np.ndarray]:
    """So many pictures of a stream, while frames go on coming."""
    got, found = b"", []
    client.settimeout(0.05)
    deadline = time.monotonic() + 60
    while len(found) < wanted:
        assert time.monotonic() < deadline
        server.sink.show(SCENE, [prediction(0, Emotion.HAPPY)])
        try:
            got += client.recv(1 << 16)
        except TimeoutError:
            continue
        head, end, rest = got.partition(b"\r\n\r\n")
        length = head.partition(b"Content-Length: ")[2]
        if end and length.isdigit() and len(rest) >= int(length):
            found.append(cv2.imdecode(np.frombuffer(rest[: int(length)], np.uint8), 1))
            got = rest[int(length) :].lstrip(b"\r\n")
    return found


def test_a_viewer_gets_pictures_in_which_nobody_can_be_seen(server: Served) -> None:
    with server.stream(path=URL) as client:
        shown = pictures(server, 2, client)
    for one in shown:
        assert one.shape == (480, 640, 3)
        assert cv2.Laplacian(one, cv2.CV_64F).var() < 1000
    assert cv2.Laplacian(SCENE, cv2.CV_64F).var() > 50_000


def test_nothing_is_made_while_nobody_watches(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    monkeypatch.setattr(server.sink._pictures, "publish", called.append)
    for _ in range(10):
        server.sink.show(SCENE, [])
    time.sleep(0.1)
    assert called == []


def test_without_the_flag_there_is_no_preview(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        server.sink.show(SCENE, [])
        assert server.ask(URL).status == 404
        assert "--preview" in server.ask(URL).json["error"]


@pytest.mark.parametrize(
    "path", ["/api/v1/preview/other", "/api/v1/preview/", "/api/v1/preview/{camera}"]
)
def test_only_this_camera_has_one(server: Served, path: str) -> None:
    assert server.ask(path).status == 404


def test_a_preview_needs_the_token_or_a_ticket(tmp_path: Path) -> None:
    where = f"0,token={token_file(tmp_path)}"
    with served(tmp_path, where, preview="boxes", sinks=("http:0",)) as server:
        assert server.ask(URL).status == 401
        ticket = server.ask("/api/v1/ticket", "POST", b"{}", **BEARER, **DELIBERATE).json["ticket"]
        with server.stream(path=f"{URL}?ticket={ticket}") as client:
            assert pictures(server, 1, client)
        assert server.ask(f"{URL}?ticket={ticket}").status == 401


def test_s12_a_viewer_that_never_reads_is_cut_off(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "SLOW_S", 0.5)
    monkeypatch.setattr(server.sink._preview, "_mode", "faces")
    monkeypatch.setattr("edge_fer.sinks.http.preview.PERIOD_S", 0.0)
    with server.stream(path=URL):
        eventually(lambda: server.metric('edge_fer_http_clients{kind="mjpeg"}') == 1)

        def cut() -> bool:
            server.sink.show(SCENE, [])
            return server.metric('edge_fer_http_clients{kind="mjpeg"}') == 0

        eventually(cut)


def test_a_closing_daemon_ends_the_preview(tmp_path: Path) -> None:
    with served(tmp_path, preview="faces", sinks=("http:0",)) as server:
        client = server.stream(path=URL)
    with client:
        while client.recv(1 << 16):
            pass


def test_people_are_told_of_the_preview(server: Served) -> None:
    shown = server.ask("/api/v1/config").json
    assert (shown["preview"], shown["notice"]) == ("faces", PREVIEW_NOTICE)
    assert "Pictures are neither stored nor sent" in NOTICE


def test_a_preview_without_a_page_is_refused() -> None:
    with pytest.raises(ConfigError, match="--sink http:"):
        RunConfig(preview="faces")
    with pytest.raises(ConfigError, match="faces or boxes"):
        RunConfig(preview="all", sinks=("http:",), purpose="art")


def test_a_bare_flag_means_faces() -> None:
    assert completed(["--preview", "--camera", "0"]) == ["--preview", "faces", "--camera", "0"]
    assert completed(["--preview"]) == ["--preview", "faces"]
    assert completed(["--preview", "boxes"]) == ["--preview", "boxes"]
    assert callable(main)


def test_only_sinks_that_show_pictures_are_shown_them(tmp_path: Path) -> None:
    sinks = Sinks([f"jsonl:{tmp_path / 'events.jsonl'}"])
    sinks.show(SCENE, None)
    sinks.close()


def window(server: Served, **options: Any) -> Event:
    """An aggregate as the daemon tells it."""
    told = {
        "window_s": 60,
        "n_faces": 8,
        "distribution": {"happy": 6, "sad": 2},
        "suppressed": False,
    }
    return {**server.events.state("ok"), "type": "aggregate", **told, **options}


def test_a_window_is_the_latest_result_and_greets_who_comes(server: Served) -> None:
    server.tell(window(server))
    eventually(lambda: server.ask("/api/v1/latest").json["event"])
    latest = server.ask("/api/v1/latest").json
    assert (latest["event"]["type"], latest["event"]["n_faces"]) == ("aggregate", 8)
    with server.stream() as client:
        got = b""
        while b'"aggregate"' not in got:
            got += client.recv(1 << 16)
    assert status_of(b"HTTP/1.1 200 ") == 200


def test_the_history_tells_means_of_five_minutes(server: Served) -> None:
    for _ in range(4):
        server.update(Emotion.HAPPY, Emotion.SAD)
    eventually(lambda: server.ask("/api/v1/history").json["bins"])
    told = server.ask("/api/v1/history").json
    mean = dict(zip(LABELS, told["bins"][-1]["mean"], strict=True))
    assert told["bin_s"] == history.BIN_S
    assert mean["happy"] == pytest.approx(mean["sad"])
    assert mean["happy"] > 0.3 > mean["fear"]


def test_the_history_forgets_and_is_bounded() -> None:
    now = [0.0]
    remembered = History(lambda: now[0])
    for _ in range(1000):
        now[0] += 1.0
        remembered.take({"type": "update", "faces": [{"probs": dict.fromkeys(LABELS, 1 / 7)}]})
    assert len(remembered.told()["bins"]) <= BINS
    now[0] += 301
    assert remembered.told()["bins"] == []


def test_a_window_fills_its_time_and_a_suppressed_one_nothing() -> None:
    now = [600.0]
    remembered = History(lambda: now[0])
    told = {"type": "aggregate", "window_s": 60, "suppressed": False, "distribution": {"happy": 1}}
    remembered.take({**told, "suppressed": True, "distribution": None, "n_faces": None})
    assert remembered.told()["bins"] == []
    remembered.take(told)
    assert len(remembered.told()["bins"]) == 30
    now[0] += 60
    remembered.take(told)
    ages = [one["age"] for one in remembered.told()["bins"]]
    assert ages == list(range(59, -1, -1))


def test_an_empty_room_is_remembered_as_such() -> None:
    remembered = History(lambda: 10.0)
    remembered.take({"type": "update", "faces": []})
    assert remembered.told()["bins"] == [{"age": 0, "mean": None}]
