"""Sign a record, and check a signature: a DSSE envelope around exactly the statement that a release carries.

The format is https://github.com/secure-systems-lab/dsse, which in-toto's tools also read, alone or in a Sigstore bundle
v0.3 (https://docs.sigstore.dev/about/bundle), which cosign 3 reads. The key is the caller's: it is not stored, and
nothing in a cluster changes. Requires ``pip install 'sidelane[sign]'``.

    envelope = client.record("svc1-v1", lane).sign(Path("key.pem").read_bytes())
    client.record("svc1-v1", lane).require_signed(envelope, Path("key.pub.pem").read_bytes())
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Final

from sidelane.errors import InvalidInput, InvalidManifest, NotSigned
from sidelane.releases.provenance import Record

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
        load_pem_public_key,
    )
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import CryptoSigner, Signature, SSlibKey

    _INSTALLED = True
except ImportError:  # most installations do not sign
    _INSTALLED = False

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
#: The media type of the bundles that are written; those of other versions are read, too.
BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_BUNDLE_TYPES: Final = "application/vnd.dev.sigstore.bundle"

#: The most bytes of an envelope: many times the size of a ConfigMap, which holds a record.
LIMIT: Final = 8 * 1024 * 1024
#: The most signatures of an envelope: checking each one reads the whole payload.
_SIGNATURES: Final = 16
_MAKE: Final = "name the envelope of this release, which `sidelane record {release} --sign-key key.pem` prints"
#: The least bits of an RSA key; sigstore refuses smaller ones, because they can be broken.
_RSA_BITS: Final = 2048


def sign(record: Record, private_key: bytes, *, passphrase: str | None = None, bundle: bool = False) -> str:
    """Returns the signed envelope of a record, JSON. private_key: PEM, Ed25519, ECDSA P-256 or RSA.

    passphrase: of an encrypted key. bundle: return a Sigstore bundle with the envelope. Raises InvalidInput for an
    invalid key or a wrong passphrase, and when the libraries are not installed.
    """
    _need_libraries()
    key = _private(private_key, passphrase)
    envelope = Envelope(_statement(record), PAYLOAD_TYPE, {})
    # The envelope has no key id: libraries compute it differently, and cosign skips a signature with another's key id.
    envelope.sign(CryptoSigner(key, _with_scheme(key.public_key()))).keyid = ""
    signed = envelope.to_dict()
    return json.dumps(_bundle(signed, key.public_key()) if bundle else signed, indent=1) + "\n"


def _bundle(envelope: dict[str, object], key: PublicKeyTypes) -> dict[str, object]:
    """Returns a Sigstore bundle without a transparency log. Its hint names the key: a digest, as in sigstore-go."""
    known = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    hint = base64.b64encode(hashlib.sha256(known).digest()).decode()
    return {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}},
        "dsseEnvelope": envelope,
    }


def check(envelope: str | bytes, record: Record, public_key: bytes) -> None:
    """Checks an untrusted envelope, or a Sigstore bundle with one, against a record and a PEM public key.

    Raises NotSigned unless a signature in it is by this key and its payload is the record's statement, byte for byte;
    InvalidInput for an invalid key, and when the libraries are not installed.
    """
    _need_libraries()
    key = _public(public_key)
    opened = _opened(envelope, record)
    if opened.payload_type != PAYLOAD_TYPE:
        raise NotSigned(
            f"the envelope holds {opened.payload_type[:80]!r}, and must hold {PAYLOAD_TYPE!r}",
            remedy=_MAKE.format(release=record.release),
        )
    signed = opened.pae()
    if not any(_is_by(key, signature, signed) for signature in opened.signatures.values()):
        raise NotSigned(
            f"none of the envelope's {len(opened.signatures)} signatures is by this key",
            remedy="use the signer's public key; a change of the envelope makes its signatures invalid",
        )
    if opened.payload != _statement(record):
        raise NotSigned(
            f"the envelope is signed, but holds {_named(opened.payload, record)}, "
            f"and not the record of {record.namespace}/{record.release}",
            remedy="sign a release again after installing it again; otherwise its record was changed",
        )


def _statement(record: Record) -> bytes:
    return record.text.encode(errors="surrogatepass")  # invalid UTF-8 never equals a payload


def _opened(text: str | bytes, record: Record) -> Envelope:
    """Parses an envelope, or that of a bundle, without trusting it. A bundle's hint of the key decides nothing."""
    try:
        if len(text) > LIMIT:
            raise ValueError
        given = json.loads(text)
        if "mediaType" in given:
            if not given["mediaType"].startswith(_BUNDLE_TYPES):
                raise ValueError
            given = given["dsseEnvelope"]
        if len(given["signatures"]) > _SIGNATURES or not isinstance(given["payloadType"], str):
            raise ValueError
        # In DSSE a signature's keyid is a hint that may be missing, duplicated or false. The library requires one.
        signatures = [{"keyid": str(n), "sig": signature["sig"]} for n, signature in enumerate(given["signatures"])]
        return Envelope.from_dict({**given, "signatures": signatures})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise NotSigned(
            "the signature is not a DSSE envelope, or a Sigstore bundle with one, "
            f"of at most {LIMIT >> 20} MiB and {_SIGNATURES} signatures",
            remedy=_MAKE.format(release=record.release),
        ) from None


def _is_by(key: SSlibKey, signature: Signature, signed: bytes) -> bool:
    try:
        key.verify_signature(Signature(key.keyid, signature.signature), signed)
    except UnverifiedSignatureError:
        return False
    return True


def _named(payload: bytes, record: Record) -> str:
    """Describes a payload that is not the record, but is signed by the right key."""
    try:
        other = Record.read(payload.decode())
    except (InvalidManifest, UnicodeDecodeError):
        return "something other than a record"
    if (other.namespace, other.release) == (record.namespace, record.release):
        return "another record of the same release"
    return f"the record of {other.namespace}/{other.release}"


def _private(pem: bytes, passphrase: str | None) -> PrivateKeyTypes:
    try:
        try:
            return load_pem_private_key(pem, None)
        except TypeError:  # the key is encrypted
            if not passphrase:
                raise InvalidInput(
                    "the private key is encrypted", remedy="set its passphrase in SIDELANE_SIGN_PASSPHRASE"
                ) from None
            return load_pem_private_key(pem, passphrase.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(
            "the private key can't be read: it is not a PEM private key, or its passphrase is wrong",
            remedy="create one with `openssl genpkey -algorithm ed25519 -out key.pem`",
        ) from None


def _public(pem: bytes) -> SSlibKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(
            "the public key can't be read: it is not a PEM public key",
            remedy="print the public key of a private one with `openssl pkey -in key.pem -pubout`",
        ) from None
    return _with_scheme(key)


def _with_scheme(key: PublicKeyTypes) -> SSlibKey:
    """Returns a key with the single scheme for its kind, as in cosign; the envelope cannot choose one."""
    if isinstance(key, Ed25519PublicKey):
        return SSlibKey.from_crypto(key, scheme="ed25519")
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return SSlibKey.from_crypto(key, scheme="ecdsa-sha2-nistp256")
    if isinstance(key, RSAPublicKey) and key.key_size >= _RSA_BITS:
        return SSlibKey.from_crypto(key, scheme="rsa-pkcs1v15-sha256")
    raise InvalidInput(
        "the kind of the key is not supported",
        remedy=f"use Ed25519, ECDSA P-256, or RSA of {_RSA_BITS} bits or more",
    )


def _need_libraries() -> None:
    if not _INSTALLED:
        raise InvalidInput("the libraries for signing are missing", remedy="install them: pip install 'sidelane[sign]'")
