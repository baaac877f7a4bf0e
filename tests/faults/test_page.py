"""The page that says which row is tested where is true."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_every_row_of_the_table_is_tested_and_the_page_is_of_today() -> None:
    done = subprocess.run(
        [sys.executable, str(HERE), "--coverage", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n| ") == 73
    assert "nowhere" not in done.stdout
