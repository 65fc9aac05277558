"""`sidelane record`"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running
from sidelane.support.redaction import learn

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.command("record")
@click.argument("release", required=False)
@options.lane(required=False)
@click.option(
    "--sign-key",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Print the record as a DSSE envelope, signed with this PEM private key: Ed25519, ECDSA P-256 or RSA.",
)
@click.option(
    "--bundle",
    is_flag=True,
    help="With --sign-key: print a Sigstore bundle v0.3 with the envelope, which cosign 3 reads.",
)
@options.output
@running.reports_errors
@options.settings
def command(
    release: str | None,
    lane: Lane | None,
    *,
    sign_key: str | None,
    bundle: bool,
    format_: str,
    settings: dict[str, Any],
) -> None:
    """Show the record of RELEASE, an in-toto Statement with SLSA Provenance, or all records of a lane.

    RELEASE is a release's name, or a chart's name together with --lane. The record is also in the ConfigMap
    record-RELEASE, under statement.json, or compressed under statement.json.gz if it is large.

    Signing changes nothing in the cluster: keep the envelope with the pipeline's artifacts, and compare the release
    with it by `sidelane verify --signature`. The passphrase of an encrypted key is read from the environment's
    SIDELANE_SIGN_PASSPHRASE.
    """
    format_ = "json" if format_ == "table" else format_
    if bundle and sign_key is None:
        raise click.UsageError("Missing option '--sign-key': a bundle holds a signature.")
    if release is None:
        _print_all(lane, format_, settings, signed=sign_key is not None)
        return
    # Removed, so that Helm and kubectl plugins do not inherit it.
    passphrase = os.environ.pop("SIDELANE_SIGN_PASSPHRASE", None)
    learn(filter(None, [passphrase]))
    key = None if sign_key is None else options.content(sign_key, options.KEY_LIMIT)
    name = release
    record = running.with_client(lambda client: client.record(name, lane), **settings)
    shown = record.to_json()
    if key is not None:
        from sidelane.releases.provenance import signing

        shown = json.loads(signing.sign(record, key, passphrase=passphrase, bundle=bundle))
    printing.data(shown, format_)


def _print_all(lane: Lane | None, format_: str, settings: dict[str, Any], *, signed: bool) -> None:
    if lane is None:
        raise click.UsageError("Name a release, or a lane with --lane.")
    if signed:
        raise click.UsageError("Missing argument 'RELEASE': an envelope holds one release's record.")
    records = running.with_client(lambda client: client.record(lane), **settings)
    printing.data([record.to_json() for record in records], format_)
