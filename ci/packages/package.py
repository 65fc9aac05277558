"""`make package`: every chart as a .tgz, and their index, in dist/.

    make package                      refused where a chart has changed since the last tag under the same version
    make package SINCE=v0.1.0         … since this tag or commit
    make package SIGN_KEY=F00DBABE    and a provenance file beside each package, signed by gpg with this key

What is written is the same for the same charts, wherever and by whichever Helm it is made:

    common-0.1.0.tgz …    each chart with all that its links lead to
    index.yaml            dist/ served by any web server is a Helm repository; its addresses are relative to it
    SHA256SUMS            `sha256sum -c SHA256SUMS` in dist/

One signature over SHA256SUMS covers them all, with a key or with the identity of a CI job:

    cosign sign-blob --bundle dist/SHA256SUMS.sigstore.json dist/SHA256SUMS
    python -m sigstore sign dist/SHA256SUMS

The index is dated by SOURCE_DATE_EPOCH (reproducible-builds.org), or else by the last commit.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import signing
from archive import DATE, Package, check_dependencies, package
from sidelane import kubeyaml
from sidelane.errors import HelmError, Refused, SidelaneError
from sidelane.helm import executable
from sidelane.kubeyaml import writer
from versions import Checkout, check

#: What an earlier `make package` may have left in dist/, which is not for packages alone.
OURS = ("*.tgz", "*.tgz.prov", "index.yaml", "SHA256SUMS")


def charts(root: Path) -> list[Path]:
    """The charts of a folder, library charts too: whoever depends on one needs its package."""
    return sorted(path.parent for path in root.glob("charts/*/Chart.yaml"))


def check_versions(packages: list[Package], checkout: Checkout, since: str, helm: str) -> None:
    """Holds each chart's version to what it was before, and says to what. Raises Refused."""
    base = checkout.base(since)
    if base is None:
        print("versions are not compared with earlier ones: no earlier tag is there, and the charts are as committed")
        return
    with tempfile.TemporaryDirectory() as folder:
        checkout.extract(base, Path(folder))
        earlier = {}
        for chart in charts(Path(folder)):
            try:
                before = package(chart, helm)
                earlier[before.name] = before
            except (HelmError, Refused):  # then nobody has such a package
                print(f"{chart.name} is not compared: as {base.title} has it, it can't be packaged")
    check(packages, earlier, base)
    print(f"compared with {base.title}: every chart that differs has a higher version")


def write_index(folder: Path, seconds: int, helm: str) -> None:
    """Writes index.yaml as `helm repo index` does, dated with the given time instead of now."""
    done = subprocess.run([helm, "repo", "index", folder], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HelmError(f"Helm makes no index: {done.stderr.strip()}")
    path = folder / "index.yaml"
    index = cast("dict[str, Any]", kubeyaml.read(path.read_text(encoding="utf-8"), source=str(path)))
    index["generated"] = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for versions in index["entries"].values():
        for version in versions:
            version["created"] = index["generated"]
    path.write_text(writer.dump(index), encoding="utf-8")


def write_sums(folder: Path) -> None:
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir()))
    (folder / "SHA256SUMS").write_text("".join(lines))


def make(root: Path, since: str, key: str) -> None:
    """Writes the packages of a folder's charts into its dist/. Raises SidelaneError, and then dist/ is as it was."""
    helm = executable.find()
    for chart in charts(root):
        check_dependencies(chart)
    packages = [package(chart, helm) for chart in charts(root)]
    checkout = Checkout.at(root)
    if checkout:
        check_versions(packages, checkout, since, helm)
        if uncommitted := checkout.uncommitted:
            print("these packages are of no commit: this is not committed in charts/:", *uncommitted, sep="\n")
            if key:
                raise Refused("packages of no commit are not signed", remedy="commit first, or leave SIGN_KEY out")
    else:
        print("versions are not compared with earlier ones: there is no git checkout here, or no git")
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch and not epoch.isdecimal():
        raise Refused(f"SOURCE_DATE_EPOCH is {epoch!r}", remedy="give seconds since 1970, or unset it")
    seconds = int(epoch) if epoch else checkout.time if checkout else DATE

    with tempfile.TemporaryDirectory() as work:
        for made in packages:
            Path(work, made.file_name).write_bytes(made.to_bytes())
        write_index(Path(work), seconds, helm)
        write_sums(Path(work))
        for made in packages if key else ():
            signing.sign(made, Path(work), key)
        publish(Path(work), root / "dist")


def publish(folder: Path, dist: Path) -> None:
    """Puts the files of a folder into dist/, in the place of those that an earlier run put there."""
    dist.mkdir(exist_ok=True)
    for pattern in OURS:
        for path in dist.glob(pattern):
            path.unlink()
    for path in sorted(folder.iterdir()):
        shutil.copy(path, dist)
        print(f"wrote dist/{path.name}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make package", description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--since", default="", metavar="REVISION")
    parser.add_argument("--sign-key", default="", metavar="KEY")
    given = parser.parse_args()
    try:
        make(given.root, given.since, given.sign_key)
        return 0
    except SidelaneError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
