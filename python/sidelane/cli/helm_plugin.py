"""`sidelane helm-plugin`"""

from __future__ import annotations

from pathlib import Path

import click

_FOLDERS = {"cli": "sidelane", "post-renderer": "sidelane-post-render"}


@click.command("helm-plugin")
@click.argument("plugin", type=click.Choice([*_FOLDERS]), default="cli")
def command(plugin: str) -> None:
    """Print the folder of a Helm plugin, for `helm plugin install`.

    The plugin cli gives Helm 3 and Helm 4 the command `helm sidelane`. The plugin post-renderer is for Helm 4:
    `helm install … --post-renderer sidelane-post-render`. Both run the program sidelane on PATH.
    """
    click.echo(Path(__file__).parent / "_plugins" / _FOLDERS[plugin])
