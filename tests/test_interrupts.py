"""A signal stops a one-shot command wherever it arrives."""

import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Callable

import pytest

from edge_fer.commands.interrupts import Interrupted, interruptible


class Thing:
    """What can be referred to weakly."""


def stopped_by(number: int) -> None:
    """Return once the handler has run."""
    os.kill(os.getpid(), number)
    for _ in range(1000):
        pass


def wait_after_a_finalizer(callback: Callable[[object], None]) -> None:
    """Python ignores what the callback raises."""
    thing = Thing()
    reference = weakref.ref(thing, callback)
    del thing
    assert reference() is None
    signal.sigtimedwait([], 10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_block_with_the_shells_status(number: int) -> None:
    with pytest.raises(Interrupted) as caught, interruptible():
        stopped_by(number)
    assert caught.value.exit_code == 128 + number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_heard_in_a_finalizer_is_not_lost(number: int) -> None:
    with pytest.raises(Interrupted), interruptible():
        wait_after_a_finalizer(lambda _: stopped_by(number))


def test_another_ignored_error_is_still_told_and_the_handlers_come_back() -> None:
    code = (
        "import signal, sys, weakref\n"
        "from edge_fer.commands.interrupts import interruptible\n"
        "class Thing: pass\n"
        "thing = Thing()\n"
        "kept = weakref.ref(thing, lambda _: 1 / 0)\n"
        "before = [signal.getsignal(n) for n in (2, 14, 15)], sys.unraisablehook\n"
        "with interruptible():\n"
        "    del thing\n"
        "assert before == ([signal.getsignal(n) for n in (2, 14, 15)], sys.unraisablehook)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "ZeroDivisionError" in done.stderr
