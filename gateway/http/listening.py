"""Stops listening without resetting connections that wait to be accepted.

Closing a listening socket resets them. So the kernel first stops taking new connections, and the
socket is closed once none waits.
"""

import select
import socket
import struct
import sys
from array import array

# A BPF program, each step an operation, two jumps and a value: load the flags of the TCP header,
# keep SYN and ACK, drop the packet if only SYN is set, let all others through.
_STEPS = (
    (0x30, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFF),
)
_SO_ATTACH_FILTER = 26  # missing in the socket module


def take_no_more(listener: socket.socket) -> None:
    """Drop new connections; those whose handshake has begun can still be accepted.

    Clients retry after a second, and are refused if the socket is closed by then.
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
