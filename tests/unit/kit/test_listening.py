"""Several processes listen at one address, and a second server is told that it is taken."""

from __future__ import annotations

import socket

import pytest

from helsevev.kit import server


@pytest.mark.parametrize("count", [1, 3])
def test_every_process_has_a_socket_at_the_same_address(count: int) -> None:
    listeners = server.listen("127.0.0.1", 0, count)
    try:
        assert len(listeners) == count
        (address,) = {listener.getsockname() for listener in listeners}
        with socket.create_connection(address, 5):
            pass
        for other in (1, 2):
            with pytest.raises(server.AddressInUse, match="PORT="):
                server.listen("127.0.0.1", address[1], other)
    finally:
        for listener in listeners:
            listener.close()
