"""Shows what is installed, and which models, devices and launchers can be used: python scripts/doctor.py."""

from __future__ import annotations

import sys

from embft.commands.doctor import main
from embft.runs.stopping import quietly

if __name__ == "__main__":
    sys.exit(quietly(main))
