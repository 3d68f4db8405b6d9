"""Ends the taking of connections without resetting one that the system has taken already.

Closing a listening socket resets every connection that waits to be accepted. So the system is told
to take no more first, and the socket is closed once nothing waits.
"""

import select
import socket
import struct
import sys
from array import array

# A packet filter of Linux, each step an operation, two jumps and a value: load the flags of the TCP
# header, keep SYN and ACK of them, drop the packet where only SYN is set, let through all others.
_STEPS = (
    (0x30, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFF),
)
_SO_ATTACH_FILTER = 26  # the socket module has no name for it


def take_no_more(listener: socket.socket) -> None:
    """Let no new connection begin; those that have begun still come to wait for acceptance.

    Their clients try again after a second, and are refused if the socket is closed by then.
    """
    if sys.platform != "linux":
        return
    steps = array("B", b"".join(struct.pack("HBBI", *step) for step in _STEPS))
    address, _length = steps.buffer_info()
    program = struct.pack("HP", len(_STEPS), address)
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def has_waiting(listener: socket.socket) -> bool:
    """Whether a connection waits to be accepted."""
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    return bool(waiting.poll(0))
