"""Who a computation is for, so that one client's many do not shut out another's few.

An address may stand for many people, behind a proxy or on one machine, and one person may have several connections:
turns and room are shared out between addresses first, then between the connections of each. Requests that hold no
connection of the stream count as one.
"""

from typing import NamedTuple


class Client(NamedTuple):
    """An address, and the number of a connection of the stream; 0 is for all requests beside it."""

    address: str = ""
    connection: int = 0
