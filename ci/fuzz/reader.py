"""Fuzzes the reader of YAML and JSON, and the rules on what it reads, with atheris: `make fuzz`.

With more of libFuzzer's options: python ci/fuzz/reader.py -max_total_time=600 FOLDER-OF-INPUTS

Allowed are an answer, or InvalidManifest. Any other exception, a timeout or much memory ends the run with the input in
a file. The first inputs are the examples of the rules.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sidelane.kubeyaml", "sidelane.manifest", "sidelane.checks"]):
    from sidelane import kubeyaml
    from sidelane.checks.engine import check
    from sidelane.checks.rules import RULES
    from sidelane.errors import InvalidManifest
    from sidelane.kubeyaml.writer import dump
    from sidelane.manifest import Manifest


def read_safely(content: bytes) -> None:
    """Reads an input; what it holds must survive being written, and crash no rule."""
    try:
        documents = kubeyaml.read_documents(content, duplicates=[])
    except InvalidManifest:
        return
    for document in documents:
        try:
            text = dump(document.data)
        except InvalidManifest:  # what Helm could not read back, such as a whole number beyond a float
            continue
        if (again := kubeyaml.read(text)) != document.data:
            raise AssertionError(f"{document.data!r} is written and read as {again!r}")
    try:
        manifest = Manifest.read(content)
    except InvalidManifest:
        return
    if crashed := [finding for finding in check(manifest).findings if finding.crash]:
        raise AssertionError(crashed[0].message)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for rule in RULES:
            for at, text in enumerate((*rule.wrong, *rule.right)):
                Path(folder, f"{rule.id}-{at}").write_text(text)
        limits = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=4096", f"-artifact_prefix={Path.cwd()}/"]
        atheris.Setup([sys.argv[0], *limits, *sys.argv[1:], folder], read_safely)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
