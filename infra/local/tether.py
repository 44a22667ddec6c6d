"""Run a command that does not outlive its starter: tether.py STARTER_PID COMMAND…

The kernel kills the command as soon as the thread that started it ends, even if that was by
SIGKILL, when nobody is left to clean up. Only Linux offers this (PR_SET_PDEATHSIG); elsewhere the
command just runs, and is ended by a starter that ends in order.

A program of its own because a `preexec_fn` is unsafe in a process that has threads. It becomes
the command, so the command's pid is the one that the starter knows.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    starter, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(starter):  # it ended before the kernel was asked
            sys.exit(1)
    os.execvp(command[0], command)


main()
