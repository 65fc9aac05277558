"""A package's provenance file, by which `helm verify`, `helm install --verify` and Artifact Hub know who made it.

`helm package --sign` signs while it packs, and so only what it packs itself. The file is the same here: the chart's
metadata and the package's digest, in one message that OpenPGP signs in the clear (helm.sh/docs/topics/provenance).
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from archive import Package
from sidelane.errors import Refused
from sidelane.kubeyaml import writer


def sign(package: Package, folder: Path, key: str) -> None:
    """Writes the provenance file of a package beside it. Raises Refused with the words of gpg.

    gpg finds the key, and asks for its passphrase, by itself; Helm 3 knows no Ed25519, so the key is an RSA one.
    """
    files = {"files": {package.file_name: f"sha256:{package.digest}"}}
    message = package.files["Chart.yaml"].decode() + "\n...\n" + writer.dump(files)
    to = folder / f"{package.file_name}.prov"
    command = ["gpg", "--clearsign", "--digest-algo", "SHA512", "--local-user", key, "--output", str(to)]
    try:
        done = subprocess.run(command, input=message, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Refused("there is no gpg on PATH to sign with", remedy="install GnuPG, or leave SIGN_KEY out") from None
    if done.returncode != 0:
        raise Refused(f"gpg does not sign {package.file_name}: {done.stderr.strip()}", remedy="see `gpg -K` for keys")
