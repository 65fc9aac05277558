"""Keeps the results of `make bench` as JSON, and compares two of them: `make bench-compare`.

python ci/bench/results.py [OLD NEW]     two files of ci/bench/results; without them the last two by their time
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from measuring import Result

FOLDER = Path(__file__).with_name("results")
ROOT = Path(__file__).resolve().parents[2]


def keep(rows: Mapping[str, Sequence[Result]], runs: int) -> Path:
    """Writes the rows of each program (`Helm v4.2.4`) with the machine, the versions and the commit."""
    now = datetime.now(UTC)
    content = {
        "at": now.isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "clean": not _git("status", "--porcelain", "--untracked-files=no"),
        "machine": {
            "processor": _processor(),
            "processors": os.cpu_count(),
            "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
            "kernel": platform.release(),
            "load": round(os.getloadavg()[2], 1),  # of the last 15 minutes: a busy machine's results say little
        },
        "python": platform.python_version(),
        "runs": runs,
        "rows": {program: [row._asdict() for row in its] for program, its in rows.items()},
    }
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{now:%Y%m%d-%H%M%S}-{str(content['commit'])[:10]}.json"
    file.write_text(json.dumps(content, indent=1) + "\n")
    return file


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Returns a line for each row that both have: the ratios of wall and processor time, before and after."""
    lines = []
    for program, rows in new["rows"].items():
        before = {row["name"]: row for row in old["rows"].get(program, ())}
        lines += ["", f"{program:<38}{'ratio':>8}{'→':>4}{'':>5}{'cpu':>8}{'→':>4}"]
        for row in rows:
            if (was := before.get(row["name"])) is not None:
                wall = f"{was['ratio']:>8.2f}{row['ratio']:>9.2f}"
                lines.append(f"{row['name']:<38}{wall}{was['processor']:>8.2f}{row['processor']:>9.2f}  {row['goal']}")
    return lines


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _processor() -> str:
    """The processor's name, from Linux; elsewhere its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare two results of `make bench`.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the older and the newer result")
    files = parser.parse_args().files or sorted(FOLDER.glob("*.json"))[-2:]
    if len(files) != 2:
        raise SystemExit(f"two results are needed to compare, not {len(files)}: run `make bench` before and after")
    old, new = (json.loads(file.read_text()) for file in files)
    for name, result in (("before", old), ("after", new)):
        load = result["machine"]["load"]
        print(f"{name:<7}{result['at']}  {result['commit'][:10]}  {result['machine']['processor']}, load {load}")
    print("\n".join(compare(old, new)))


if __name__ == "__main__":
    main()
