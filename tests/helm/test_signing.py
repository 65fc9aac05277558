"""Signatures of records: made and checked with real keys, by others' means too, and refused for all else."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys

import pytest
from command_line import CommandLine, environment
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from sidelane import Client
from sidelane.errors import InvalidInput, NotSigned
from sidelane.releases.provenance import BUILD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, Record, signing

KINDS = ("ed25519", "ecdsa", "rsa")


def record_of(release, **values):
    """A record like the ones that statement.py makes, and small."""
    chart = {"name": "zookeeper", "version": "0.1.0"}
    given = {"chart": chart, "namespace": "streams", "values": values}
    build = {
        "buildType": BUILD_TYPE, "externalParameters": given, "internalParameters": {"operationalValues": []},
        "resolvedDependencies": [
            {"name": "zookeeper", "digest": {"dirHash": "ab"}}, {"name": "values", "digest": {"sha256": "ef"}},
        ],
    }  # fmt: skip
    statement = {
        "_type": STATEMENT_TYPE, "predicateType": PREDICATE_TYPE, "predicate": {"buildDefinition": build},
        "subject": [{"name": release, "digest": {"sha256": "cd"}}],
    }  # fmt: skip
    return Record.read(json.dumps(statement, ensure_ascii=False, indent=1) + "\n")


RECORD = record_of("zookeeper-coco-1", greeting="naïve 😀")


def made(kind):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())


class Keys(dict):
    """A key of each kind, with another of its kind; made when they are used first."""

    def __missing__(self, kind):
        self[kind] = made(kind), made(kind)
        return self[kind]


KEYS = Keys()


def private(key, passphrase=None, form=serialization.PrivateFormat.PKCS8):
    hidden = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, hidden)


def public(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def pae(payload, payload_type=b"application/vnd.in-toto+json"):
    """The signed bytes, written down from DSSE's specification and not from the library."""
    return b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(payload), payload)


def enveloped(payload, *signatures, payload_type="application/vnd.in-toto+json"):
    """An envelope by hand; nobody says who signed it."""
    return json.dumps({
        "payload": base64.b64encode(payload).decode(), "payloadType": payload_type,
        "signatures": [{"sig": base64.b64encode(signature).decode()} for signature in signatures],
    })  # fmt: skip


def signature_of(key, data):
    """A key's signature, by the scheme that goes with its kind."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def changed(envelope, **fields):
    return json.dumps({**json.loads(envelope), **fields})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_signed_is_what_dsse_says_and_others_can_check(kind):
    key, _ = KEYS[kind]
    envelope = json.loads(signing.sign(RECORD, private(key)))
    assert set(envelope) == {"payload", "payloadType", "signatures"}
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    payload = base64.b64decode(envelope["payload"], validate=True)
    assert payload == RECORD.text.encode()
    (entry,) = envelope["signatures"]
    assert (
        entry["keyid"] == ""
    )  # sigstore's libraries try every key then, and with an id only the one that they know by it
    signature = base64.b64decode(entry["sig"], validate=True)
    if kind == "ed25519":
        key.public_key().verify(signature, pae(payload))
    elif kind == "ecdsa":
        key.public_key().verify(signature, pae(payload), ec.ECDSA(hashes.SHA256()))
    else:
        key.public_key().verify(signature, pae(payload), padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("kind", KINDS)
def test_a_sigstore_bundle_holds_the_envelope_and_the_digest_of_the_key(kind):
    key, other = KEYS[kind]
    text = signing.sign(RECORD, private(key), bundle=True)
    bundle = json.loads(text)
    assert set(bundle) == {"mediaType", "verificationMaterial", "dsseEnvelope"}
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    known = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert base64.b64decode(bundle["verificationMaterial"]["publicKey"]["hint"]) == hashlib.sha256(known).digest()
    signing.check(text, RECORD, public(key))
    signing.check(json.dumps(bundle["dsseEnvelope"]), RECORD, public(key))
    # The hint is a claim.
    with pytest.raises(NotSigned, match="by this key"):
        signing.check(text, RECORD, public(other))
    for wrong in ({"mediaType": "text/plain"}, {"mediaType": 1}, {"dsseEnvelope": None}, {"dsseEnvelope": text}):
        with pytest.raises(NotSigned, match="not a DSSE envelope, or a Sigstore bundle"):
            signing.check(changed(text, **wrong), RECORD, public(key))


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_agrees(kind, tmp_path, unavailable):
    if not shutil.which("openssl"):
        unavailable("no openssl on PATH")
    key, other = KEYS[kind]
    envelope = json.loads(signing.sign(RECORD, private(key)))
    (tmp_path / "signed").write_bytes(pae(RECORD.text.encode()))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    raw = ["-rawin"] if kind == "ed25519" else ["-rawin", "-digest", "sha256"]
    for name, pem, code in (("key.pem", public(key), 0), ("other.pem", public(other), 1)):
        (tmp_path / name).write_bytes(pem)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", name, *raw, "-in", "signed"]
        done = subprocess.run([*command, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_record_by_its_own_key_is_taken_and_nothing_else(kind):
    key, other = KEYS[kind]
    envelope = RECORD.sign(private(key))
    RECORD.require_signed(envelope, public(key))
    signing.check(envelope.encode(), RECORD, public(key))
    for wrong in (other, *(KEYS[each][0] for each in KINDS if each != kind)):
        with pytest.raises(NotSigned, match="is by this key"):
            signing.check(envelope, RECORD, public(wrong))
    for record, says in (
        (
            record_of("zookeeper-coco-2"),
            "holds the record of streams/zookeeper-coco-1, and not the record of streams/zoo",
        ),
        (record_of("zookeeper-coco-1", replicas=5), "another record of the same release"),
    ):
        with pytest.raises(NotSigned, match=says):
            signing.check(envelope, record, public(key))


def test_every_byte_of_payload_type_and_signature_counts():
    key, _ = KEYS["ed25519"]
    envelope = signing.sign(RECORD, private(key))
    payload, signature = RECORD.text.encode(), signature_of(key, pae(RECORD.text.encode()))
    signing.check(enveloped(payload, signature), RECORD, public(key))
    for place in range(len(payload)):
        flipped = bytearray(payload)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(NotSigned):
            signing.check(enveloped(bytes(flipped), signature), RECORD, public(key))
    for place in range(len(signature)):
        flipped = bytearray(signature)
        flipped[place] ^= 1 << place % 8
        with pytest.raises(NotSigned):
            signing.check(enveloped(payload, bytes(flipped)), RECORD, public(key))
    for bad in (signature[:-1], signature + b"\0", b""):
        with pytest.raises(NotSigned):
            signing.check(enveloped(payload, bad), RECORD, public(key))
    for payload_type in ("", "text/plain", "application/vnd.in-toto+jsoN", "\x1b[2J" * 500):
        with pytest.raises(NotSigned, match="and must hold 'application/vnd") as caught:
            signing.check(changed(envelope, payloadType=payload_type), RECORD, public(key))
        assert "\x1b" not in str(caught.value)
        assert len(str(caught.value)) < 400


def test_a_good_signature_of_something_else_is_refused():
    key, _ = KEYS["ed25519"]
    payload = RECORD.text.encode()
    for other in (b"", b"\xff", b"{}", b"[" * 100_000, payload + b"\n", json.dumps(json.loads(payload)).encode()):
        with pytest.raises(NotSigned, match="is signed, but holds"):
            signing.check(enveloped(other, signature_of(key, pae(other))), RECORD, public(key))
    # The payload alone, another type, and the same bytes cut elsewhere: none of them is what DSSE signs.
    for data in (payload, pae(payload, b"text/plain"), pae(payload)[:-1], b"DSSEv1 " + payload):
        with pytest.raises(NotSigned, match="is by this key"):
            signing.check(enveloped(payload, signature_of(key, data)), RECORD, public(key))


def test_a_key_is_used_with_its_one_scheme():
    """An envelope can't choose: neither by other paddings and digests, nor by words about them."""
    payload = RECORD.text.encode()
    key, _ = KEYS["rsa"]
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    signatures = [
        key.sign(pae(payload), salted, hashes.SHA256()), key.sign(pae(payload), padding.PKCS1v15(), hashes.SHA512()),
        key.sign(pae(payload), padding.PKCS1v15(), hashes.SHA1()),
    ]  # fmt: skip
    with pytest.raises(NotSigned, match="none of the envelope's 3 signatures"):
        signing.check(enveloped(payload, *signatures), RECORD, public(key))
    curve, _ = KEYS["ecdsa"]
    wrong = curve.sign(pae(payload), ec.ECDSA(hashes.SHA384()))
    with pytest.raises(NotSigned):
        signing.check(enveloped(payload, wrong), RECORD, public(curve))
    # The public key's own bytes as a signature, and the "none" of other formats.
    words = {"alg": "none", "scheme": "none", "keytype": "oct", "keyid": "../key", "cert": public(key).decode()}
    for sig in ("", base64.b64encode(public(key)).decode()):
        envelope = changed(enveloped(payload), signatures=[{"sig": sig, **words}])
        for each in (key, curve, KEYS["ed25519"][0]):
            with pytest.raises(NotSigned):
                signing.check(envelope, RECORD, public(each))


def test_one_signature_of_several_is_enough_whatever_their_ids_say():
    payload = RECORD.text.encode()
    keys = [KEYS[kind][0] for kind in KINDS]
    both = json.loads(enveloped(payload, *(signature_of(key, pae(payload)) for key in keys)))
    for ids in ([None] * 3, ["", "", ""], ["same", "same", "same"], [1, {}, []]):
        signatures = [
            {**signature, **({} if keyid is None else {"keyid": keyid})}
            for signature, keyid in zip(both["signatures"], ids, strict=True)
        ]
        for key in keys:
            signing.check(changed(json.dumps(both), signatures=signatures), RECORD, public(key))
    with pytest.raises(NotSigned, match="is by this key"):
        signing.check(json.dumps(both), RECORD, public(KEYS["ed25519"][1]))
    with pytest.raises(NotSigned, match="none of the envelope's 0 signatures"):
        signing.check(enveloped(payload), RECORD, public(keys[0]))
    many = changed(json.dumps(both), signatures=both["signatures"] * 6)
    with pytest.raises(NotSigned, match="16 signatures"):
        signing.check(many, RECORD, public(keys[0]))


def test_both_alphabets_of_base64_are_read():
    """DSSE: a reader takes the standard one and the one for addresses."""
    key, _ = KEYS["ed25519"]
    envelope = json.loads(signing.sign(RECORD, private(key)))
    urlsafe = {**envelope, "payload": base64.urlsafe_b64encode(RECORD.text.encode()).decode()}
    sig = base64.b64decode(envelope["signatures"][0]["sig"])
    urlsafe["signatures"] = [{"sig": base64.urlsafe_b64encode(sig).decode()}]
    signing.check(json.dumps(urlsafe), RECORD, public(key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from(["payload", "payloadType", "signatures"])


@given(st.dictionaries(FIELDS, JSON | st.lists(st.fixed_dictionaries({"sig": JSON}, optional={"keyid": JSON}))))
def test_no_json_is_a_crash(fields):
    key, _ = KEYS["ed25519"]
    envelope = enveloped(RECORD.text.encode(), signature_of(key, pae(RECORD.text.encode())))
    for given_ in (json.dumps(fields), changed(envelope, **fields)):
        if json.loads(given_) != json.loads(envelope):
            with pytest.raises(NotSigned):
                signing.check(given_, RECORD, public(key))


@given(st.binary() | JSON.map(json.dumps))
def test_no_bytes_are_a_crash(envelope):
    with pytest.raises(NotSigned, match="not a DSSE envelope"):
        signing.check(envelope, RECORD, public(KEYS["ed25519"][0]))


@pytest.mark.parametrize(
    "envelope",
    ["[" * 100_000, '{"signatures":' * 100_000, "1" * 5000, "NaN", '"\\ud800"', b"\xff\xfe", b"\xef\xbb\xbf{}",
     '{"payload": "\\ud800", "payloadType": "x", "signatures": []}', " " * (signing.LIMIT + 1), RECORD.text,
     *(changed(enveloped(b""), payloadType=payload_type) for payload_type in (1, None, [{}]))],
    ids=range(13),
)  # fmt: skip
def test_hostile_envelopes_are_refused(envelope):
    with pytest.raises(NotSigned, match="a Sigstore bundle with one, of at most 8 MiB"):
        signing.check(envelope, RECORD, public(KEYS["ed25519"][0]))


def test_a_record_that_no_payload_can_hold_is_refused():
    key, _ = KEYS["ed25519"]
    text = RECORD.text.replace("😀", "\ud800")
    odd = Record.read(text)
    with pytest.raises(NotSigned):
        signing.check(signing.sign(RECORD, private(key)), odd, public(key))


def test_encrypted_keys_take_their_passphrase():
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    for key, form in ((KEYS["ed25519"][0], serialization.PrivateFormat.PKCS8), (KEYS["rsa"][0], traditional)):
        pem = private(key, b"hunter2", form)
        signing.check(signing.sign(RECORD, pem, passphrase="hunter2"), RECORD, public(key))
        for passphrase in (None, ""):
            with pytest.raises(InvalidInput, match="is encrypted; set its passphrase in SIDELANE_SIGN_PASSPHRASE"):
                signing.sign(RECORD, pem, passphrase=passphrase)
        with pytest.raises(InvalidInput, match="or its passphrase is wrong") as caught:
            signing.sign(RECORD, pem, passphrase="letmein")
        assert "letmein" not in str(caught.value)
    plain = private(KEYS["ed25519"][0])
    assert signing.sign(RECORD, plain, passphrase="not needed") == signing.sign(RECORD, plain)


def test_keys_that_do_not_sign_records_are_refused():
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for key in (small, ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(InvalidInput, match="use Ed25519, ECDSA P-256, or RSA of 2048 bits"):
            signing.sign(RECORD, private(key))
        with pytest.raises(InvalidInput, match="use Ed25519, ECDSA P-256, or RSA of 2048 bits"):
            signing.check("{}", RECORD, public(key))
    key, _ = KEYS["ed25519"]
    for pem in (b"", b"\xff", b"not a key", public(key), private(key)[:40]):
        with pytest.raises(InvalidInput, match="not a PEM private key"):
            signing.sign(RECORD, pem)
    for pem in (b"", b"\xff", b"not a key", private(key), public(key)[:40]):
        with pytest.raises(InvalidInput, match="not a PEM public key") as caught:
            signing.check("{}", RECORD, pem)
        assert "BEGIN" not in str(caught.value)


def test_a_signature_that_is_not_right_is_not_right_for_cryptography_either():
    """The tests' own reading of DSSE refuses what it should, so that its agreement means something."""
    key, _ = KEYS["ed25519"]
    envelope = json.loads(signing.sign(RECORD, private(key)))
    with pytest.raises(InvalidSignature):
        key.public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), RECORD.text.encode())


@pytest.fixture
def deployed(helm, tmp_path):
    """A directory with two releases and three keys, and the command line on it."""
    client = Client(namespace="streams", directory=tmp_path / "root", helm=helm)
    client.install("zookeeper", "coco-1")
    client.install("zookeeper", "coco-2")
    key, other = KEYS["ed25519"]
    (tmp_path / "key.pem").write_bytes(private(key, b"hunter2"))
    (tmp_path / "key.pub").write_bytes(public(key))
    (tmp_path / "other.pub").write_bytes(public(other))

    return CommandLine(tmp_path, helm, place=("-n", "streams", "--directory", "root"))


SIGN = ("--sign-key", "key.pem")
CHECK = ("--signature", "envelope.json", "--key", "key.pub")


def test_a_release_is_signed_and_verified_on_the_command_line(deployed, tmp_path):
    before = {path: path.read_bytes() for path in (tmp_path / "root").rglob("*") if path.is_file()}
    signed = deployed("record", "zookeeper", "--lane", "coco-1", *SIGN, SIDELANE_SIGN_PASSPHRASE="hunter2")
    (tmp_path / "envelope.json").write_text(signed.stdout)
    payload = base64.b64decode(json.loads(signed.stdout)["payload"])
    assert payload == (tmp_path / "root" / "streams" / "zookeeper-coco-1" / "record.json").read_bytes()
    shown = deployed("verify", "zookeeper-coco-1", *CHECK)
    assert shown.stdout.split() == ["RELEASE", "STATE", "RECORD", "zookeeper-coco-1", "unchanged", "signed"]
    bundle = deployed("record", "zookeeper", "--lane", "coco-1", *SIGN, "--bundle", SIDELANE_SIGN_PASSPHRASE="hunter2")
    assert json.loads(bundle.stdout)["dsseEnvelope"]["payload"] == json.loads(signed.stdout)["payload"]
    (tmp_path / "bundle.json").write_text(bundle.stdout)
    assert "signed" in deployed("verify", "zookeeper-coco-1", *CHECK[:1], "bundle.json", *CHECK[2:]).stdout
    deployed("record", "zookeeper-coco-1", "--bundle", code=2)
    (result,) = deployed.json("verify", "zookeeper", "--lane", "coco-1", *CHECK)
    assert result["state"] == "unchanged"
    assert before == {path: path.read_bytes() for path in (tmp_path / "root").rglob("*") if path.is_file()}

    def refused(*arguments, says, code=1):
        done = deployed(*arguments, code=code)
        assert (done.stdout, says in done.stderr) == ("", True), done
        assert "Traceback" not in done.stderr

    refused("verify", "zookeeper-coco-2", *CHECK, says="holds the record of streams/zookeeper-coco-1")
    refused("verify", "zookeeper-coco-1", *CHECK[:3], "other.pub", says="is by this key")
    refused("verify", "zookeeper-coco-1", *CHECK[:1], "key.pub", *CHECK[2:], says="not a DSSE envelope")
    refused("verify", "zookeeper-coco-1", *CHECK[:3], "envelope.json", says="not a PEM public key", code=2)
    refused("verify", "zookeeper-coco-1", *CHECK[:3], "none.pub", says="can't be read", code=2)
    refused("verify", "zookeeper-coco-1", *CHECK[:2], says="must be used together", code=2)
    refused("verify", "zookeeper-coco-1", *CHECK[2:], says="must be used together", code=2)
    refused("verify", "--lane", "coco-1", *CHECK, says="an envelope holds one release's record", code=2)
    refused("record", "zookeeper-coco-1", *SIGN, says="set its passphrase in SIDELANE_SIGN_PASSPHRASE", code=2)
    refused("record", "zookeeper-coco-1", "--sign-key", "none.pem", says="can't be read", code=2)

    # A signature is of the record, and what drifted from that is told as ever.
    folder = tmp_path / "root" / "streams" / "zookeeper-coco-1"
    manifest = (folder / "manifest.yaml").read_text()
    (folder / "manifest.yaml").write_text(manifest.replace("replicas: 3", "replicas: 4"))
    assert "changed  signed" in deployed("verify", "zookeeper-coco-1", *CHECK, code=1).stdout
    # Beside a legitimate operational change, too, and what that one does not excuse in the object it stands for.
    (folder / "manifest.yaml").write_text(manifest)
    deployed("upgrade", "zookeeper", "--lane", "coco-1", "--reuse-values", "--set", "networkPolicy.enabled=true")
    operated = (folder / "manifest.yaml").read_text()
    assert operated != manifest
    assert "unchanged  signed" in deployed("verify", "zookeeper-coco-1", *CHECK).stdout
    (folder / "manifest.yaml").write_text(operated.replace("replicas: 3", "replicas: 4"))
    wrongly = deployed("verify", "zookeeper-coco-1", *CHECK, code=1)
    assert "changed  signed" in wrongly.stdout
    assert "StatefulSet.apps/streams/zk-coco-1 is changed" in wrongly.stdout
    # Whoever changes the record together with the release makes the two agree, and has no signature.
    record = (folder / "record.json").read_text()
    (folder / "manifest.yaml").write_text(manifest)
    (folder / "record.json").write_text(record.replace('"startedOn": "2', '"startedOn": "1'))
    deployed("verify", "zookeeper-coco-1")
    refused("verify", "zookeeper-coco-1", *CHECK, says="another record of the same release")
    (folder / "record.json").unlink()
    refused("verify", "zookeeper-coco-1", *CHECK, says="has no record")


@pytest.mark.usefixtures("deployed")
def test_without_the_extra_it_says_what_to_install(tmp_path, helm):
    (tmp_path / "envelope.json").write_text("{}")

    def run(gone, *arguments):
        program = f"import sys\nsys.modules[{gone!r}] = None\nfrom sidelane import cli\ncli.main()"
        command = [sys.executable, "-c", program, *arguments, "-n", "streams", "--directory", "root"]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment(helm.parent)
        )

    for gone in ("securesystemslib", "cryptography"):
        for arguments in (("record", "zookeeper-coco-1", *SIGN), ("verify", "zookeeper-coco-1", *CHECK)):
            done = run(gone, *arguments)
            assert (done.returncode, done.stdout) == (2, "")
            assert "pip install 'sidelane[sign]'" in done.stderr
            assert "Traceback" not in done.stderr
        assert run(gone, "record", "zookeeper-coco-1").returncode == 0
        assert run(gone, "verify", "zookeeper-coco-1").returncode == 0


def test_a_passphrase_reaches_no_helm(deployed, tmp_path, helm):
    """Helm runs plugins and the kubeconfig's credential programs, and they inherit what it has."""
    writes_down = tmp_path / "writes-down"
    writes_down.mkdir()
    (writes_down / "helm").write_text(f'#!/bin/sh\nenv >> "{tmp_path}/environment"\nexec "{helm}" "$@"\n')
    (writes_down / "helm").chmod(0o755)
    sidelane = CommandLine(writes_down, writes_down / "helm", XDG_CACHE_HOME=tmp_path)
    record = ("record", "zookeeper-coco-1", "--sign-key", tmp_path / "key.pem", "-n", "streams")
    sidelane(*record, code=3, SIDELANE_SIGN_PASSPHRASE="hunter2")
    environment = (tmp_path / "environment").read_text()
    assert "PATH=" in environment
    assert "hunter2" not in environment
