"""How a conversation fails."""

from __future__ import annotations

import ssl


class TalkError(Exception):
    """The conversation gave no answer; the message says why, as a gap states it."""


class TooMuchError(TalkError):
    """More bytes than one conversation may bring."""


def words(error: OSError) -> str:
    """The error of a connection in words of ours."""
    match error:
        case ConnectionRefusedError():
            return "the connection was refused"
        case ConnectionResetError() | BrokenPipeError():
            return "the connection was reset"
        case ssl.SSLError():
            return "the server closed the connection in the middle of TLS"
        case _:
            return f"the connection failed: {error.strerror or type(error).__name__}"
