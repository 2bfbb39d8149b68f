"""Verifies and signs DSSE envelopes with securesystemslib, which reads neither receipts nor trust files.

    verify FILE INDEX THRESHOLD KEY…   prints `holds` or `does not hold`
    sign FILE INDEX SECRET             prints the file with one more signature

INDEX is the version in a trust file; `-` for a receipt.
"""

import base64
import copy
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey


def key_of(public):
    # The library finds a key by its id: that of Countersign is OpenSSH's fingerprint.
    fingerprint = serialization.ssh_key_fingerprint(public, hashes.SHA256())
    return SSlibKey.from_crypto(public, keyid="SHA256:" + base64.b64encode(fingerprint).decode().rstrip("="))


def read_public(path):
    text = Path(path).read_bytes()
    is_pem = text.startswith(b"-----")
    return key_of((serialization.load_pem_public_key if is_pem else serialization.load_ssh_public_key)(text))


def envelope_in(document, index):
    return document if index == "-" else document["versions"][int(index)]


def verify(path, index, threshold, *keys):
    # Reading changes the library's input.
    envelope = Envelope.from_dict(copy.deepcopy(envelope_in(json.loads(Path(path).read_text()), index)))
    try:
        envelope.verify([read_public(key) for key in keys], int(threshold))
        print("holds")
    except VerificationError:
        print("does not hold")


def sign(path, index, secret):
    document = json.loads(Path(path).read_text())
    place = envelope_in(document, index)
    envelope = Envelope.from_dict(copy.deepcopy(place))
    key = serialization.load_ssh_private_key(Path(secret).read_bytes(), None)
    envelope.sign(CryptoSigner(key, key_of(key.public_key())))
    place.update(envelope.to_dict())
    print(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    {"verify": verify, "sign": sign}[sys.argv[1]](*sys.argv[2:])
