"""Runs checkov's checks for Kubernetes on folders of manifests, and prints what they found as JSON.

    python run_checkov.py FOLDER ...

Run by scan.py with the Python of checkov's own environment, because checkov holds many packages to old versions.
One process for all folders, because to import checkov takes longer than to scan; and a runner for each folder: the
`checkov` command with several --directory scans the first of them again and again, and with one folder for all charts
a network policy of one chart would count for the pods of another. Nothing here asks the network or reads a config file.

For each folder: {"passed": N, "failed": [{"check", "says", "file"}], "skipped": [the same], "seen": [file, …]}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from checkov.kubernetes.runner import Runner
from checkov.runner_filter import RunnerFilter


def scan(folder: str) -> dict[str, Any]:
    only = RunnerFilter(framework=["kubernetes"], show_progress_bar=False)
    report = Runner().run(root_folder=folder, runner_filter=only)
    records = [*report.passed_checks, *report.failed_checks, *report.skipped_checks]
    return {
        "passed": len(report.passed_checks),
        "failed": list(map(finding, report.failed_checks)),
        "skipped": list(map(finding, report.skipped_checks)),
        # What no check is about is seen as well, and is not in a record.
        "seen": sorted({Path(each.file_path).name for each in [*records, *report.extra_resources]}),
    }


def finding(record: Any) -> dict[str, str]:
    return {"check": record.check_id, "says": record.check_name, "file": Path(record.file_path).name}


if __name__ == "__main__":
    json.dump({folder: scan(folder) for folder in sys.argv[1:]}, sys.stdout)
