"""What the libraries of a report read from a user's environment, and how a program keeps the report independent of it.

=========================  =======================================================  =======================================
read by                    what                                                     decision
=========================  =======================================================  =======================================
Matplotlib                 MPLBACKEND, MATPLOTLIBRC, MPLCONFIGDIR, matplotlibrc in  unused: a directory of its own, empty
                           the working directory and ~/.config, style sheets
Matplotlib                 MPL_IGNORE_SYSTEM_FONTS, _MPLHIDEEXECUTABLES, fonts of   unused: only the fonts that it brings
                           the system and of the user (fontconfig), their cache
pandas                     PANDAS_FUTURE, PANDAS_FUTURE_*, PANDAS_COPY_ON_WRITE     removed
NumPy                      NPY_*, NUMPY_*                                           removed
SciPy                      SCIPY_*                                                  removed
pyparsing                  PYPARSINGENABLEALLWARNINGS                               removed
Python                     PYTHONWARNINGS                                           no warning becomes an error
Arrow, OpenBLAS, OpenMP    ARROW_*, OPENBLAS_*, OMP_*                               kept: memory, threads, logging
Matplotlib                 HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_DATA_HOME     kept: nothing is looked up there
Matplotlib, pandas         DISPLAY, LANG, LC_ALL, TZ                                kept: no windows; numbers and times
                                                                                    are formatted by Python, in UTC
Matplotlib                 SOURCE_DATE_EPOCH                                        removed: no file holds its date, and a
                                                                                    value that is no number ends a figure
other systems, builds      LOCALAPPDATA, WINDIR, PROCESSOR_*, PKG_CONFIG,           kept
                           SETUPTOOLS_USE_DISTUTILS
=========================  =======================================================  =======================================
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator

from experiment.errors import InvalidInput
from experiment.program import keep_warnings_harmless

# Variables with these beginnings are removed while the libraries are imported.
REMOVED = ("MPL", "_MPL", "MATPLOTLIB", "PANDAS_", "NPY_", "NUMPY_", "SCIPY_", "PYPARSING", "SOURCE_DATE_EPOCH")


@contextlib.contextmanager
def isolated_libraries() -> Iterator[None]:
    """Imports Matplotlib without the user's configuration. Libraries that the block imports do not read it either.

    Raises:
        InvalidInput: there is no directory to write to, which Matplotlib needs.
    """
    before = dict(os.environ)
    with _temporary_directory() as directory, warnings.catch_warnings():
        keep_warnings_harmless()
        for name in before:
            if name.startswith(REMOVED):
                del os.environ[name]
        os.environ |= {"MPLBACKEND": "agg", "MPLCONFIGDIR": directory, "MPL_IGNORE_SYSTEM_FONTS": "1"}
        try:
            with _inside(directory):  # a matplotlibrc in the working directory comes before all others
                import matplotlib as mpl  # noqa: F401 (imported so that it is not imported elsewhere first)
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextlib.contextmanager
def _temporary_directory() -> Iterator[str]:
    try:
        directory = tempfile.TemporaryDirectory(prefix="collaborative-ensembles-", ignore_cleanup_errors=True)
    except OSError as error:
        lacks = f"no directory for temporary files can be written to ({error.strerror})"
        raise InvalidInput(f"{lacks}, and Matplotlib needs one; set TMPDIR to a directory with room") from error
    with directory as name:
        yield name


@contextlib.contextmanager
def _inside(directory: str) -> Iterator[None]:
    """Changes the working directory for a while; the user's may have been removed, or may be unreadable."""
    here = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir(directory)
        yield
    finally:
        os.fchdir(here)
        os.close(here)
