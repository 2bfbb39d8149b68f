"""A whole way in an empty network namespace: nothing but the loopback device, so nothing else is asked for."""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

from verdict import check

# A user that may make namespaces, or one that may become root without being asked.
WAYS = (["unshare", "--map-root-user", "--net"], ["sudo", "--non-interactive", "--preserve-env", "unshare", "--net"])


def run():
    with check("a tag is planned, approved and published where no other network is"):
        inside = [sys.executable, "-B", Path(__file__).resolve(), "inside"]
        way = next((way for way in WAYS if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0), None)
        assert way, "no network namespace can be made here: neither by unshare nor with sudo"
        done = subprocess.run([*way, *inside], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        assert done.returncode == 0, done.stdout + done.stderr


def raise_loopback():
    """`ip link set lo up`, without the program."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


def inside():
    import kinds
    from stage import Stage

    raise_loopback()
    devices = [line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
    assert devices == ["lo"], f"other devices are here: {devices}"
    with Stage() as stage:
        kinds.whole_way(stage, "tag_repo")


if __name__ == "__main__":
    import contextlib
    import io

    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        inside()
    lines = told.getvalue().splitlines()
    if len(lines) < 7 or not all(line.startswith("ok ") for line in lines):
        sys.exit("\n".join(lines))
