"""A record is signed, and a signature is checked: a DSSE envelope around the very statement that a release carries.

https://github.com/secure-systems-lab/dsse says what an envelope is; cosign and in-toto's tools read the same. The key
is the caller's: nothing is kept here, and nothing in a cluster changes. It takes ``pip install 'sidelane[sign]'``.

    envelope = client.record("svc1-v1", lane).sign(Path("key.pem").read_bytes())
    client.record("svc1-v1", lane).require_signed(envelope, Path("key.pub.pem").read_bytes())
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from sidelane.errors import InvalidInput, InvalidManifest, NotSigned
from sidelane.releases.provenance import Record

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import CryptoSigner, Signature, SSlibKey

    _INSTALLED = True
except ImportError:  # most installations sign nothing
    _INSTALLED = False

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"

#: What an envelope may have, in bytes: many times what a ConfigMap takes, which is where a record is.
LIMIT: Final = 8 * 1024 * 1024
#: How many signatures of an envelope are looked at: each takes a pass over the whole payload.
_SIGNATURES: Final = 16
_MAKE: Final = "name the envelope of this release, which `sidelane record {release} --sign-key key.pem` prints"
#: Below this many bits an RSA key can be broken, and sigstore takes none.
_RSA_BITS: Final = 2048


def sign(record: Record, private_key: bytes, *, passphrase: str | None = None) -> str:
    """The envelope of a record, JSON, signed with a PEM private key: Ed25519, ECDSA P-256 or RSA.

    passphrase: of a key that is encrypted. Raises InvalidInput for a key that is none of these or can't be opened, and
    where the libraries are not installed.
    """
    _need_libraries()
    key = _private(private_key, passphrase)
    envelope = Envelope(_statement(record), PAYLOAD_TYPE, {})
    # Every library has key ids of its own, and cosign skips a signature with another's. It writes none itself.
    envelope.sign(CryptoSigner(key, _with_scheme(key.public_key()))).keyid = ""
    return json.dumps(envelope.to_dict(), indent=1) + "\n"


def check(envelope: str | bytes, record: Record, public_key: bytes) -> None:
    """Holds an envelope, from wherever it comes, against a record and a PEM public key.

    Raises NotSigned unless a signature in it is by this key and its payload is the record's statement, byte for byte;
    InvalidInput for a key that can't be used, and where the libraries are not installed.
    """
    _need_libraries()
    key = _public(public_key)
    opened = _opened(envelope, record)
    if opened.payload_type != PAYLOAD_TYPE:
        raise NotSigned(
            f"the envelope holds {opened.payload_type[:80]!r} and no {PAYLOAD_TYPE!r}",
            remedy=_MAKE.format(release=record.release),
        )
    signed = opened.pae()
    if not any(_is_by(key, one, signed) for one in opened.signatures.values()):
        raise NotSigned(
            f"none of the envelope's signatures, of which there are {len(opened.signatures)}, is by this key",
            remedy="name the public key of whoever signed it; an envelope that was changed since is signed by nobody",
        )
    if opened.payload != _statement(record):
        raise NotSigned(
            f"the envelope is signed, but holds {_named(opened.payload, record)}, "
            f"and not the record of {record.namespace}/{record.release}",
            remedy="a release that was made again is signed again; if it was not, its record was changed",
        )


def _statement(record: Record) -> bytes:
    return record.text.encode(errors="surrogatepass")  # what no UTF-8 has is equal to no payload


def _opened(text: str | bytes, record: Record) -> Envelope:
    """The envelope, not yet trusted in anything."""
    try:
        if len(text) > LIMIT:
            raise ValueError
        given = json.loads(text)
        if len(given["signatures"]) > _SIGNATURES or not isinstance(given["payloadType"], str):
            raise ValueError
        # DSSE makes a signature's keyid a hint that may be missing, the same twice, or a lie. The library asks for one.
        signatures = [{"keyid": str(n), "sig": one["sig"]} for n, one in enumerate(given["signatures"])]
        return Envelope.from_dict({**given, "signatures": signatures})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise NotSigned(
            f"the signature is no DSSE envelope of at most {LIMIT >> 20} MiB and {_SIGNATURES} signatures",
            remedy=_MAKE.format(release=record.release),
        ) from None


def _is_by(key: SSlibKey, signature: Signature, signed: bytes) -> bool:
    try:
        key.verify_signature(Signature(key.keyid, signature.signature), signed)
    except UnverifiedSignatureError:
        return False
    return True


def _named(payload: bytes, record: Record) -> str:
    """What a payload that is not the record is, for people; it was signed by the right key."""
    try:
        other = Record.read(payload.decode())
    except (InvalidManifest, UnicodeDecodeError):
        return "no record of Sidelane's"
    if (other.namespace, other.release) == (record.namespace, record.release):
        return "another record of the same release"
    return f"the record of {other.namespace}/{other.release}"


def _private(pem: bytes, passphrase: str | None) -> PrivateKeyTypes:
    try:
        try:
            return load_pem_private_key(pem, None)
        except TypeError:  # it is encrypted
            if not passphrase:
                raise InvalidInput(
                    "the private key is encrypted", remedy="give its passphrase in SIDELANE_SIGN_PASSPHRASE"
                ) from None
            return load_pem_private_key(pem, passphrase.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(
            "the private key can't be read: it is no PEM private key, or its passphrase is another",
            remedy="`openssl genpkey -algorithm ed25519 -out key.pem` makes one",
        ) from None


def _public(pem: bytes) -> SSlibKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(
            "the public key can't be read: it is no PEM public key",
            remedy="`openssl pkey -in key.pem -pubout` prints that of a private one",
        ) from None
    return _with_scheme(key)


def _with_scheme(key: PublicKeyTypes) -> SSlibKey:
    """A key with the one scheme that goes with its kind, the same that cosign uses: nothing in an envelope chooses."""
    if isinstance(key, Ed25519PublicKey):
        return SSlibKey.from_crypto(key, scheme="ed25519")
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return SSlibKey.from_crypto(key, scheme="ecdsa-sha2-nistp256")
    if isinstance(key, RSAPublicKey) and key.key_size >= _RSA_BITS:
        return SSlibKey.from_crypto(key, scheme="rsa-pkcs1v15-sha256")
    raise InvalidInput(
        "the key is of no kind that signs records",
        remedy=f"use Ed25519, ECDSA P-256, or RSA of {_RSA_BITS} bits or more",
    )


def _need_libraries() -> None:
    if not _INSTALLED:
        raise InvalidInput(
            "signing takes libraries that are not installed", remedy="install them: pip install 'sidelane[sign]'"
        )
