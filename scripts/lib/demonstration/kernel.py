"""What every demonstration needs first: packages, and the kernel it shows."""

from __future__ import annotations

import subprocess

import common
import packages

CONFIG = "lean"


def ready(*groups: str, build: bool) -> None:
    """Installs what is missing and builds the kernel. `build` False: takes it as it is."""
    packages.ensure("kernel", "board", *groups)
    if not build:
        return
    # Its own progress lines are shown: this is what takes long the first time.
    done = subprocess.run([common.SCRIPTS / "kernel", "build", "--config", CONFIG], check=False)
    if done.returncode:
        raise common.Failure(f"the kernel {CONFIG} could not be built", status=done.returncode)
