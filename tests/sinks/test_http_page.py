"""The live page in a real browser: what it shows, that it fits, and that it asks nobody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import CHROMIUM, Page, browser
from served import HANG_GUARD_S, TOKEN, Served, served, token_file

from edge_fer.emotions import LABELS, Emotion
from edge_fer.sinks import http

FILES = Path(http.__file__).parent
HOSTILE = "<img src=x onerror=\"document.title='hit'\">'\"{{7*7}}\u202egrebmun"

in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed: the live page is not looked at"
)


@asynccontextmanager
async def seen(server: Served, *emotions: Emotion | None) -> AsyncIterator[None]:
    """The camera sees these faces, ten times a second."""

    async def feed() -> None:
        while True:
            server.update(*emotions)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(feed())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def started(server: Served) -> Served:
    server.hello()
    server.state("ok")
    return server


def look(tmp_path: Path, script: Callable[[Page], Awaitable[None]]) -> Page:
    """Run a script in a fresh browser; gives what it noted."""

    async def run() -> Page:
        async with browser(tmp_path / "profile") as page:
            await script(page)
        return page

    return asyncio.run(asyncio.wait_for(run(), 3 * HANG_GUARD_S))


def text(element: str) -> str:
    return f"document.getElementById('{element}').textContent"


LIVE = f"{text('status')} === 'Live'"
CARDS = "[...document.querySelectorAll('.said')].map(e => e.firstChild.textContent).join()"
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


@in_a_browser
@pytest.mark.parametrize(
    ("width", "height", "dark"), [(390, 844, False), (360, 740, True), (1280, 900, False)]
)
def test_csp_the_page_is_drawn_fits_and_complains_of_nothing(
    tmp_path: Path, width: int, height: int, dark: bool
) -> None:
    long = "a-very-long-purpose-without-any-space-" * 2
    with served(tmp_path, purpose=long, notice="x" * 300, device="d" * 32) as server:

        async def script(page: Page) -> None:
            async with seen(started(server), Emotion.HAPPY, None, Emotion.SURPRISE):
                await page.open(f"http://{server.host}/", width, height, dark)
                await page.until(LIVE)
                await page.until(f"{CARDS} === 'Happy,Uncertain,Surprise'")
                assert await page.tell(OVERFLOW) == 0
                assert await page.tell("document.querySelectorAll('#frame rect').length") == 3
                await page.shot(tmp_path / "page.png")

        page = look(tmp_path, script)
        assert page.complaints == []
        assert {url.split("/")[2] for url in page.requested} == {server.host}
    picture = cv2.imread(str(tmp_path / "page.png"))
    assert picture.shape[1] == width
    for third in range(3):  # drawn from top to bottom
        part = picture[third * height // 3 : (third + 1) * height // 3]
        assert part.std() > 4
    assert (picture.mean() < 90) == dark


@in_a_browser
def test_xss_purpose_and_notice_are_text(tmp_path: Path) -> None:
    with served(tmp_path, purpose=HOSTILE, notice=HOSTILE) as server:

        async def script(page: Page) -> None:
            async with seen(started(server), Emotion.SAD):
                await page.open(f"http://{server.host}/", 1280, 900)
                await page.until(LIVE)
                assert await page.tell(text("purpose")) == HOSTILE
                assert await page.tell(text("notice-text")) == HOSTILE
                assert await page.tell("document.querySelectorAll('img:not(#picture)').length") == 0
                assert await page.tell("document.title") == "pi-hall · edge-fer"

        assert look(tmp_path, script).complaints == []


@in_a_browser
def test_a_preview_is_shown_under_the_outlines_while_it_is_true(tmp_path: Path) -> None:
    room = np.full((480, 640, 3), (40, 120, 200), np.uint8)
    with served(tmp_path, preview="faces", sinks=("http:0",)) as server:

        async def script(page: Page) -> None:
            async def film() -> None:
                while True:
                    server.sink.show(room, [])
                    await asyncio.sleep(0.1)

            filming = asyncio.create_task(film())
            async with seen(started(server), Emotion.HAPPY):
                await page.open(f"http://{server.host}/", 390, 844)
                await page.until(
                    f"{LIVE} && document.getElementById('picture').naturalWidth === 640"
                )
                assert not await page.tell("document.getElementById('picture').hidden")
                assert "blurred picture" in await page.tell(text("notice-text"))
                await page.shot(tmp_path / "page.png")
                shown = cv2.imread(str(tmp_path / "page.png"))
                assert (abs(shown.astype(int) - (40, 120, 200)).sum(2) < 30).mean() > 0.05
            filming.cancel()
            server.state("lost")
            await page.until("document.getElementById('picture').hidden")

        assert look(tmp_path, script).complaints == []


@in_a_browser
def test_a_window_is_shown_without_any_single_face(tmp_path: Path) -> None:
    with served(tmp_path) as server:

        def window(**options: object) -> None:
            told = {"window_s": 60, "n_faces": 8, "distribution": {"happy": 6, "sad": 2}}
            head = {**server.events.state("ok"), "type": "aggregate", "suppressed": False}
            server.tell({**head, **told, **options})

        async def script(page: Page) -> None:
            started(server)
            window()
            await page.open(f"http://{server.host}/", 390, 844)
            await page.until(f"{LIVE} && {text('window-said')} === '8 faces'")
            bars = (
                "[...document.querySelectorAll('#window-bars em')].map(e => e.textContent).join()"
            )
            assert await page.tell(bars) == "0 %,75 %,25 %,0 %,0 %,0 %,0 %"
            assert await page.tell("document.getElementById('nobody').hidden")
            assert await page.tell("document.querySelectorAll('#history path').length") > 2
            window(n_faces=0, distribution=None)
            await page.until(f"{text('window-said')} === '0 faces'")
            window(suppressed=True, n_faces=None, distribution=None)
            await page.until(f"{text('window-said')} === 'Too few faces to tell'")
            assert await page.tell("document.getElementById('window-bars').hidden")

        assert look(tmp_path, script).complaints == []


@in_a_browser
def test_the_history_is_that_of_the_device_not_of_the_page(tmp_path: Path) -> None:
    async def script(page: Page) -> None:
        with served(tmp_path) as server:
            started(server).update(Emotion.HAPPY)
            server.state("lost")
            await page.open(f"http://{server.host}/", 390, 844)
            await page.until("document.querySelector('#history .happy').getAttribute('d') !== ''")

    look(tmp_path, script)


@in_a_browser
def test_no_value_outlives_its_face_its_camera_or_its_daemon(tmp_path: Path) -> None:
    async def script(page: Page) -> None:
        with served(tmp_path) as server:
            port = server.port
            await page.open(f"http://{server.host}/", 390, 844)
            async with seen(started(server), Emotion.FEAR):
                await page.until(f"{CARDS} === 'Fear'")
                await page.until(f"{text('rate')}.endsWith('fps')")
            async with seen(server):
                await page.until(f"{CARDS} === '' && {text('nobody')} === 'No face in view'")
                assert await page.tell(text("frame")) == "none"
            async with seen(server, Emotion.FEAR):
                await page.until(f"{CARDS} === 'Fear'")
            await page.until(f"{CARDS} === '' && {text('status')} === 'No new frame'")
            assert await page.tell(text("frame")) == "no result"
            async with seen(server, Emotion.FEAR):
                await page.until(f"{CARDS} === 'Fear'")
            server.state("lost")
            await page.until(f"{CARDS} === '' && {text('status')} === 'Camera lost'")
            assert await page.tell(text("rate")) == "–"  # noqa: RUF001
            server.state("ok")
            async with seen(server, Emotion.FEAR):
                await page.until(f"{CARDS} === 'Fear'")
        await page.until(f"{CARDS} === '' && {text('status')}.startsWith('Disconnected')")
        assert await page.tell(text("camera-state")) == "–"  # noqa: RUF001
        with served(tmp_path / "again", f"127.0.0.1:{port}") as server:
            async with seen(started(server), Emotion.ANGER):
                await page.until(f"{LIVE} && {CARDS} === 'Anger'")

    look(tmp_path, script)


@in_a_browser
def test_a_token_is_asked_for_on_the_page_and_kept_over_a_reload(tmp_path: Path) -> None:
    with served(tmp_path, f"0,token={token_file(tmp_path)}") as server:

        async def enter(page: Page, secret: str) -> None:
            await page.until("!document.getElementById('sign-in').hidden")
            await page.tell(
                f"document.getElementById('token').value = '{secret}';"
                "document.querySelector('#sign-in button').click()"
            )

        async def script(page: Page) -> None:
            async with seen(started(server), Emotion.DISGUST):
                await page.open(f"http://{server.host}/", 390, 844)
                await enter(page, "wrong")
                await page.until(f"{text('sign-in-error')} === 'This is not the token.'")
                assert await page.tell("document.getElementById('content').hidden")
                assert await page.tell(text("purpose")) == ""
                await enter(page, TOKEN)
                await page.until(f"{LIVE} && {CARDS} === 'Disgust'")
                await page.call("Page.reload")
                await page.until(f"{LIVE} && {CARDS} === 'Disgust'")

        page = look(tmp_path, script)
        assert not [url for url in page.requested if TOKEN in url]
        assert not [one for one in page.complaints if "401" not in one]


class References(HTMLParser):
    """What a page loads, and what of it would be inline."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "action"):
                self.loaded.append(str(value))
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.inline.append(tag)


def test_the_page_loads_its_own_files_and_holds_nothing_inline() -> None:
    read = References((FILES / "page.html").read_text())
    assert sorted(read.loaded) == ["/page.css", "/page.js", "/page.svg"]
    assert read.inline == []
    for name in ("page.css", "page.js"):
        code = (FILES / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in code.replace("// ", "")
        assert "url(" not in code
        assert "@import" not in code


def test_the_script_writes_text_and_never_markup() -> None:
    code = (FILES / "page.js").read_text()
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert word not in code


def test_the_page_knows_the_labels_in_their_order() -> None:
    listed = ", ".join(f'"{label}"' for label in LABELS)
    assert f"const LABELS = [{listed}];" in (FILES / "page.js").read_text()
    css = (FILES / "page.css").read_text()
    assert all(f".{label} {{" in css for label in (*LABELS, "uncertain"))
