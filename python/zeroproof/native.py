"""Native code of batched calls. Results do not depend on it."""

from __future__ import annotations

from typing import NamedTuple, Optional

from . import _native

__all__ = ["NativeCode", "native_code", "set_native"]


class NativeCode(NamedTuple):
    """Whether batched calls run as machine code.

    Attributes:
        vectors: the processor's vectors that the code uses, ``"AVX-512"`` or ``"AVX2"``; None if
            batched calls are interpreted.
        reason: why they are interpreted, else None.

    Examples:
        >>> from zeroproof import native_code
        >>> code = native_code()
        >>> bool(code) is (code.reason is None)
        True
    """

    vectors: Optional[str]
    reason: Optional[str]

    def __bool__(self) -> bool:
        """Whether native code runs."""
        return self.vectors is not None


def set_native(on: bool) -> None:
    """Turns native code of batched calls on or off, for the whole process.

    It is on from the start unless the environment variable ``ZEROPROOF_NATIVE`` is ``0``. A
    function is made machine code when it has been asked for 32,768 samples in all; until then, and
    wherever native code cannot run, calls are interpreted. Results have the same bits.

    Args:
        on: whether later calls may use native code.

    Raises:
        TypeError: if it is not a bool.

    Examples:
        >>> from zeroproof import native_code, set_native
        >>> set_native(False)
        >>> native_code().reason
        'it is turned off by set_native'
        >>> set_native(True)
    """
    _native.set_native(on)


def native_code() -> NativeCode:
    """Whether batched calls run as machine code in this process, and if not, why.

    Returns:
        A :class:`NativeCode`, which is true if native code runs.

    Examples:
        >>> from zeroproof import native_code
        >>> native_code().vectors in ("AVX-512", "AVX2", None)
        True
    """
    return NativeCode(*_native.native_code())
