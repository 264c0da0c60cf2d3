"""What every benchmark's result says about itself: command, commit, machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).parents[1]


def machine() -> str:
    """Processor, cores, the number formats that it has in hardware."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    best = next(
        (flag for flag in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if flag in flags), "no vector extension"
    )
    card = ""
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
        card = f", {sys.modules['torch'].cuda.get_device_name()}"
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores, {best}{card}"


def write_result(name: str, body: str) -> Path:
    """Writes results/<name>.md with the command and the commit below the body, and prints it."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    script = Path(sys.argv[0]).name
    command = " ".join(["python", f"benchmarks/{script}", *sys.argv[1:]])
    path = ROOT / "benchmarks" / "results" / f"{name}.md"
    path.parent.mkdir(exist_ok=True)
    today = datetime.now(timezone.utc).date().isoformat()
    path.write_text(f"{body}\n\n`{command}`, commit {commit or 'unknown'}, {today}.\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))
    return path
