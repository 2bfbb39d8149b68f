"""Runs a command at a terminal of its own and types a passphrase when it asks: at_terminal.py PASSPHRASE OUTPUT COMMAND…"""

import os
import pty
import signal
import sys

passphrase, output, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.execvp(command[0], command)

signal.alarm(60)
shown = b""
while True:
    try:
        some = os.read(terminal, 4096)
    except OSError:
        break
    if not some:
        break
    shown += some
    if b"assphrase" in shown and passphrase:
        os.write(terminal, passphrase.encode() + b"\n")
        passphrase = ""
sys.stderr.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
