"""The address and the credentials of a throw-away control plane, for its own process and for others that share it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path


class Access:
    """Makes kubeconfig files for a control plane that runs.

    Attributes:
        folder: its temporary folder, with the logs of the programs (`etcd.log`, …).
        server: the URL of the API server.
        kubeconfig: a file with the credentials of a cluster administrator.
    """

    folder: Path
    server: str
    kubeconfig: Path

    def __init__(self, tokens: dict[str, str]) -> None:
        self._tokens = tokens

    def save(self, file: Path) -> None:
        """Writes it to a file that only its owner can read."""
        places = {name: str(getattr(self, name)) for name in ("folder", "server", "kubeconfig")}
        file.touch(mode=0o600)
        file.write_text(json.dumps({"tokens": self._tokens, **places}))

    @staticmethod
    def load(file: Path) -> Access:
        """Reads a file that save() wrote, perhaps in another process."""
        saved = json.loads(file.read_text())
        access = Access(saved["tokens"])
        access.folder, access.kubeconfig = Path(saved["folder"]), Path(saved["kubeconfig"])
        access.server = saved["server"]
        return access

    @property
    def powerless_token(self) -> str:
        """The token of a user who is known to the API server and may do nothing."""
        return self._tokens["powerless"]

    def kubeconfig_for(self, token: str, server: str | None = None) -> Path:
        """A kubeconfig file for whoever the token belongs to; one that nobody has is answered with 401."""
        name = "throw-away"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": name,
                    "cluster": {"server": server or self.server, "certificate-authority": str(self._authority)},
                }
            ],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
        descriptor, path = tempfile.mkstemp(dir=self.folder, prefix="kubeconfig-")  # readable by its owner alone
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)  # JSON is YAML
        return Path(path)

    @property
    def _authority(self) -> Path:
        return self.folder / "apiserver.crt"  # what the API server makes for itself holds its authority as well
