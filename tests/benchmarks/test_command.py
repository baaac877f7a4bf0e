"""`edge-fer bench` as it is typed: subcommands, bad input, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.journal import NAME
from edge_fer.cli import app

HANG_GUARD_S = 240
DATA = ("--data", "synthetic:faces=21")


def typed(*args):
    return CliRunner().invoke(app, ["bench", *map(str, args)])


def test_help_of_the_plain_command_names_the_subcommands():
    text = typed("--help").output
    for word in ("--baseline", "--corruptions", "baseline | compare | estimate | peers"):
        assert word in text


@pytest.mark.parametrize("name", ["baseline", "compare", "estimate", "peers"])
def test_each_subcommand_has_its_own_help(name):
    assert (
        f"edge-fer bench {name}" in typed(name, "--help").output
        or name in typed(name, "--help").output
    )


def test_a_folder_with_the_name_of_a_subcommand_is_given_by_its_path(tmp_path, cli):
    (tmp_path / "compare").mkdir()
    done = cli("bench", "./compare", "--split", "test", cwd=tmp_path)
    assert (done.returncode, "give --data" in done.stderr) == (78, True)
    assert cli("bench", "compare", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (("a", "--split", "foo"), 78, "--split foo: is a split of a dataset: give --data"),
        (("a", "--corruptions"), 78, "--corruptions: needs labelled faces"),
        (("a", "--baseline", "b", "--checkpoint", "c", *DATA), 78, "give one"),
        (("a", "--baseline", "none.json", *DATA), 66, "none.json: no baseline here"),
        (("a", *DATA, "--split", "foo"), 78, "unknown split 'foo'"),
        (("a", *DATA, "--out", "/dev/null/x"), 74, "choose another --out"),
        (("baseline", *DATA, "--out", "."), 74, "is a folder; name a file"),
        (("compare", "a.json", "b.json"), 66, "a.json: no report here"),
        (("estimate", "pi9"), 78, "unknown board 'pi9': choose from pi4"),
        (("--estimate", "pi9"), 78, "unknown board 'pi9'"),
        (("peers", *DATA, "--only", "x"), 78, "unknown peer 'x'"),
    ],
)
def test_bad_input_is_one_line_and_its_status(args, status, said, cli, tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    extra = ("--cpu",) if args[0] == "baseline" else ()
    done = cli("bench", *args, *extra, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr.count("\n")) == (status, 1), done.stderr
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_gpu_the_baseline_is_refused_and_cpu_is_named(cli, tmp_path):
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
    done = cli("bench", "baseline", *DATA, "--out", tmp_path / "b.json", env=environment)
    assert done.returncode == 78
    assert "no GPU is seen by tensorflow" in done.stderr
    assert "--cpu" in done.stderr


def started(bundle: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edge_fer.cli", "bench", str(bundle), *DATA, "--out", str(out)]
    # No Keras in sight: the bundle alone, as on a board.
    code = "import sys; sys.modules['keras'] = None; sys.argv[0] = 'edge-fer'\n"
    code += "from importlib import util\nfind = util.find_spec\n"
    code += "util.find_spec = lambda name, *a: None if name == 'keras' else find(name, *a)\n"
    code += "from edge_fer.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *command[3:], "--threads", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def workers_of(run: int) -> list[int]:
    """Processes that the run with this id started."""
    states = {int(p.parent.name): _text(p) for p in Path("/proc").glob("[0-9]*/stat")}
    # The parent is the second field after the name, which stands in brackets.
    return [n for n, said in states.items() if said.rpartition(")")[2].split()[1:2] == [str(run)]]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process is gone
        return ""


def wait_for_rounds(out: Path, count: int) -> None:
    deadline = time.monotonic() + HANG_GUARD_S
    journal = out / NAME
    while not journal.is_file() or journal.read_text().count('"round"') < count:
        assert time.monotonic() < deadline, "no round was finished"
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_finished_parts_alone(number, tflite_bundle, tmp_path):
    out = tmp_path / "out"
    with started(tflite_bundle, out) as run:
        wait_for_rounds(out, 1)
        workers = workers_of(run.pid)
        assert workers
        run.send_signal(number)
        _, complaints = run.communicate(timeout=HANG_GUARD_S)
    assert run.returncode == 128 + number
    assert complaints.splitlines()[-1].endswith("the same command goes on")
    assert "Traceback" not in complaints
    assert [p.name for p in out.iterdir()] == [NAME]
    assert not [n for n in workers if "benchmarks.worker" in _text(Path(f"/proc/{n}/cmdline"))]


def test_a_killed_run_goes_on_and_its_report_says_so(tflite_bundle, tmp_path):
    out = tmp_path / "out"
    with started(tflite_bundle, out) as run:
        wait_for_rounds(out, 1)
        run.kill()
        run.communicate()
    lines = [json.loads(line) for line in (out / NAME).read_text().splitlines()]
    # The rest is shortened: what is kept of a whole run is what this is about.
    kept = next(line["is"] for line in lines if line.get("part", [""])[0] == "round")
    rounds = [{"part": ["round", n], "is": kept} for n in range(20)]
    rates = [
        {"part": ["rate", tflite_bundle.name, t, b],
         "is": {"threads": t, "batch": b, "faces_per_s": 5.0, "request_ms": 200.0 * b}}
        for t in range(1, 129) for b in (1, 2, 4, 8)
    ]  # fmt: skip
    (out / NAME).write_text("".join(json.dumps(line) + "\n" for line in [*lines, *rounds, *rates]))
    with started(tflite_bundle, out) as again:
        said, complaints = again.communicate(timeout=HANG_GUARD_S)
    assert again.returncode == 0, complaints
    report = json.loads((out / "report.json").read_text())
    assert report["sittings"] == 2
    (one,) = report["results"]
    assert one["cost"]["rounds_p50_ms"][0] == one["cost"]["rounds_p50_ms"][19]
    assert {rate["faces_per_s"] for rate in one["rates"]} == {5.0}
    assert sorted(p.name for p in out.iterdir()) == ["report.html", "report.json", "report.md"]
    assert tflite_bundle.name in said
