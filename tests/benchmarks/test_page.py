"""The report as Markdown and as a page, also in a real browser."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import cv2
import pytest
from browser import browser

from benchmarks.axes import Rectangle, _box, linear_ticks, log_scale, log_ticks, place_labels
from benchmarks.markdown import markdown, plain
from benchmarks.page import page
from benchmarks.plots import front
from benchmarks.svg import time_columns

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser")) if p), None)
VOID = {"meta", "circle", "rect", "path", "polyline"}
HOSTILE = '<script src="http://x.test/a.js"></script>|"&'


class Reader(HTMLParser):
    """Checks that elements close in order, and keeps what they are and hold."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.values, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.values += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.values += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def renamed(report, name):
    first, second, *others = report.results
    return replace(report, results=(first, replace(second, name=name), *others), notes=(name,))


def test_the_page_is_well_formed_and_complete(report):
    read = Reader(page(report))
    # Two plots, four matrices, changes and faults, four reliability diagrams, energy.
    assert read.tags.count("svg") == 2 + 4 + 2 + 4 + 1
    for word in ("Summary", "within a point", "worse", "failed", "Cortex-A76", "3,589"):
        assert word in read.text


def test_the_page_loads_nothing_and_runs_nothing(report):
    read = Reader(page(renamed(report, HOSTILE)))
    assert not {"script", "link", "img", "iframe", "a", "object"} & set(read.tags)
    assert not [v for k, v in read.values if k in ("src", "href", "xlink:href")]
    assert "url(" not in page(report)
    assert "@import" not in page(report)


def test_labels_are_escaped(report):
    hostile = renamed(report, HOSTILE)
    assert "<script" not in page(hostile)
    assert HOSTILE in Reader(page(hostile)).text
    rows = [row for row in markdown(hostile).splitlines() if "x.test" in row and row[0] == "|"]
    assert rows
    assert all("<script" not in row.replace("\\<script", "") for row in rows)


def test_the_page_says_where_nothing_was_measured(draw):
    text = Reader(page(draw(50, labelled=False))).text
    assert text.count("not measured") > 20
    assert "Accuracy against latency" in text


def test_an_invalid_run_says_so_before_any_figure(report):
    text = Reader(page(replace(report, invalid="throttled 2 times"))).text
    assert text.index("Invalid: throttled 2 times") < text.index("Summary")
    assert "Invalid" not in Reader(page(report)).text
    for say in (markdown, plain):
        told = say(replace(report, invalid="throttled 2 times"))
        assert "INVALID: throttled 2 times: the times must not be quoted" in told
        assert "INVALID" not in say(report)


def test_absolute_times_stand_with_the_name_of_the_machine(report):
    for text in (Reader(page(report)).text, markdown(report)):
        assert "to seven scores, on Cortex-A76, 4 cores" in text


def test_the_front_holds_those_that_none_beats_in_both(report):
    names = [result.name for result in front(report.results)]
    assert names[0] == "xception-int8-openvino"
    assert "full precision" not in names


def test_a_baseline_from_elsewhere_is_no_part_of_the_front(report):
    parent, *others = report.results
    versus = [replace(r.versus, same_rounds=False) for r in others if r.versus]
    away = [replace(r, versus=v) for r, v in zip(others, versus, strict=False)]
    best = replace(parent, cost=replace(parent.cost, p50_ms=0.1))
    assert best not in front([best, *away])
    assert 'class="ring' in page(replace(report, results=(best, *away)))


def test_a_report_without_baseline_or_timing_still_has_a_page(report):
    alone = replace(report, results=report.results[-1:])
    assert "not measured" in Reader(page(alone)).text
    assert "half-copied" in markdown(alone)


def test_markdown_rows_have_as_many_fields_as_their_header(report):
    tables = markdown(report).split("\n## ")[1:]
    assert len(tables) == 9
    for table in tables:
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) == 1


def test_the_terminal_gets_aligned_columns_and_the_notes(report):
    *rows, blank, note = plain(report).splitlines()
    assert len({len(row) for row in rows}) == 1
    assert (len(rows), blank) == (6, "")
    assert note == report.notes[0]


def test_labels_hide_neither_each_other_nor_a_mark():
    frame, size = Rectangle(48, 14, 418, 266), 12
    marks = [Rectangle(x, 100, x + 12, 150) for x in (60, 90, 120, 240)]
    texts = ["xception-int8-openvino", "xception-int8-tflite", "other", "full precision"]
    places = place_labels(marks, texts, frame, size)
    boxes = [_box(place, text, size) for place, text in zip(places, texts, strict=True)]
    everything = [*marks, *boxes]
    for i, one in enumerate(everything):
        assert not any(one.overlaps(other) for other in everything[i + 1 :])
    assert all(frame.contains(box) for box in boxes)


@pytest.mark.parametrize(("low", "high"), [(0.3, 900.0), (3.1, 3.4), (9.0, 21.0)])
def test_a_time_axis_has_ticks_inside_its_range(low, high):
    ticks = log_ticks(low, high)
    assert len(ticks) >= 3
    assert all(low <= tick <= high for tick in ticks)


def test_the_numbers_of_a_time_axis_do_not_touch():
    columns = time_columns(4.0, 7000.0, log_scale(4.0, 7000.0, 48, 418))
    for (one, said), (other, then) in pairwise(columns):
        assert other - one > (len(said) + len(then)) / 2 * 13.5 * 0.58
    assert len(columns) >= 4


def test_linear_ticks_are_round_values():
    assert linear_ticks(0.713, 0.774) == [0.72, 0.74, 0.76]


def browse(folder, html, *options):
    """What headless Chromium writes to standard output for a page."""
    path = folder / "shown.html"
    path.write_text(html)
    return subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--no-first-run",
            "--hide-scrollbars", "--allow-file-access-from-files",
            f"--user-data-dir={folder / 'profile'}", *options, path.as_uri(),
        ],
        check=True, capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip


in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed: the page is not looked at in a browser"
)


@in_a_browser
def test_a_browser_draws_the_page(report, tmp_path):
    shot = tmp_path / "page.png"
    browse(tmp_path, page(report), f"--screenshot={shot}", "--window-size=1200,1400")
    picture = cv2.imread(str(shot))
    assert picture.shape == (1400, 1200, 3)
    # Text, curves and tables everywhere: no quarter of it is one flat colour.
    for half in (picture[:700], picture[700:]):
        assert min(half[:, :600].std(), half[:, 600:].std()) > 5


@in_a_browser
def test_the_page_fits_a_phone_of_400_pixels(report, tmp_path):
    long = renamed(report, "a-very-long-name-of-a-bundle-without-any-space-in-it-" * 2)
    (tmp_path / "page.html").write_text(page(long))
    frame = """<iframe id="f" src="page.html" width="400" height="800" style="border:0"></iframe>
        <script>addEventListener("load", () => {
          document.title = "width " + f.contentDocument.documentElement.scrollWidth;
        });</script>"""
    shown = browse(tmp_path, frame, "--dump-dom", "--virtual-time-budget=2000")
    assert "<title>width 400</title>" in shown


OVERLAPS = """(() => [...document.querySelectorAll("svg")].flatMap(drawing => {
  const texts = [...drawing.querySelectorAll("text:not([transform])")]
    .map(one => [one.textContent, one.getBoundingClientRect()]).filter(one => one[1].width);
  return texts.flatMap(([one, a], i) => texts.slice(i + 1).filter(([, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3
  ).map(([other]) => one + " | " + other));
}))()"""


def test_ten_models_have_ten_colours_and_their_numbers(crowd):
    html = page(crowd)
    drawing = html[html.index("<svg") : html.index("</svg>")]
    assert len(set(re.findall(r'class="dot (s\d+)"', drawing))) == 10
    assert re.findall(r'class="mark s\d+"[^>]*>(\d+)<', drawing) == [str(n + 1) for n in range(10)]
    assert "10 xception-int8-onnx" in html


@in_a_browser
@pytest.mark.parametrize("width", [400, 1240])
def test_no_label_of_ten_models_lies_on_another(crowd, tmp_path, width):
    (tmp_path / "page.html").write_text(page(crowd))

    async def look(file: Path) -> list[str]:
        async with browser(tmp_path / "profile") as tab:
            await tab.open(file.as_uri(), width, 900)
            await tab.until("document.readyState == 'complete'")
            assert await tab.tell("document.querySelectorAll('svg').length") > 20
            return await tab.tell(OVERLAPS)

    assert asyncio.run(look(tmp_path / "page.html")) == []
