"""Memory: what large arrays cost that are made anew in every step."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_memory"]

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h


def keep_memory() -> bool:
    """Ask the C library to keep the memory of freed arrays for the next ones, until the process ends.

    A training step makes arrays of a megabyte and frees them again. As it stands, glibc gives such memory back to the
    system each time, and gets it anew page by page, which can cost more than the arithmetic, above all for
    convolutional nets. The price is that the process stays as large as it once was, whatever else runs in it; which is
    why nothing here does this unasked.

    Returns
    -------
    bool
        Whether it took effect: on Linux with glibc. Elsewhere nothing happens.

    References
    ----------
    The GNU C Library Reference Manual, section "Malloc Tunable Parameters".

    Examples
    --------
    >>> from nn import keep_memory
    >>> keep_memory() in (True, False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((MMAP_THRESHOLD, 1 << 30), (TRIM_THRESHOLD, (1 << 31) - 1), (TOP_PAD, 1 << 26))
    return all(mallopt(setting, size) == 1 for setting, size in settings)
