"""Several processes listen at one address, and a second server is told that it is taken."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from helsevev.kit import server
from helsevev.kit.settings import MOST_UNASKED, BadSetting, Settings


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


def test_as_many_processes_answer_as_were_asked_for_or_as_fit(tmp_path: Path) -> None:
    data = {"HELSEVEV_DATA": str(tmp_path)}
    assert Settings.from_environment({**data, "HELSEVEV_WORKERS": "7"}).processes == 7
    assert 1 <= Settings.from_environment(data).processes <= MOST_UNASKED
    for wrong in ("-1", "65", "many", "1.5"):
        with pytest.raises(BadSetting, match="HELSEVEV_WORKERS"):
            Settings.from_environment({**data, "HELSEVEV_WORKERS": wrong})
