"""The Python and the packages that a program needs: where one is missing, one line says which extra brings it."""

from __future__ import annotations

import importlib
import importlib.util
import sys

from experiment.errors import InvalidInput, describe_error

OLDEST_PYTHON = (3, 11)  # nothing that is imported before it is checked may need it
PROGRAMS = ("trainer", "k8s", "aggregator")  # the packages that hold them
IN_DEMO = (*PROGRAMS, "s3")  # the extras that 'make demo' installs
EXIT_CODE = InvalidInput.exit_code


def require_packages(extra: str, *names: str) -> None:
    """Checks that packages are installed, without importing them. Each part of the suite does so at its import.

    A program of the suite ends with one line and exit code 42 if one is missing.

    Args:
        extra: the extra of pyproject.toml that brings them.

    Raises:
        ImportError: one is missing, and the suite is imported by another program.
    """
    fault = _fault_of_python() or next(filter(None, (_fault_of(name) for name in names)), "")
    if not fault:
        return
    message = _explain(fault, extra)
    if _is_program():
        print(f"error: {message}", file=sys.stderr)
        raise SystemExit(EXIT_CODE)
    raise ImportError(message)


def import_packages(extra: str, *names: str) -> None:
    """Imports packages that only a part of a program needs, before that part does so.

    Raises:
        InvalidInput: one is missing, shadowed by another file, or cannot be imported here.
    """
    for name in names:
        fault = _fault_of(name)
        if not fault:
            try:
                module = importlib.import_module(name)
            except MemoryError:
                raise
            except Exception as error:  # libraries raise all kinds where a driver or a setting is not as they expect
                raise InvalidInput(_explain(f"cannot import {name} ({describe_error(error)})", extra)) from error
            fault = "" if hasattr(module, "__version__") else f"would take {module.__file__} for {name}"
        if fault:
            raise InvalidInput(_explain(fault, extra))


def _is_program() -> bool:
    """Returns whether this process is a program of the suite, which ``python -m`` looks for or has begun to run."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return sys.argv[:1] == ["-m"] or (spec is not None and spec.name.partition(".")[0] in PROGRAMS)


def _fault_of_python() -> str:
    return "" if sys.version_info >= OLDEST_PYTHON else f"is version {sys.version.split()[0]}"


def _fault_of(name: str) -> str:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return f"lacks the package {name}"
    return "" if spec.submodule_search_locations else f"would take {spec.origin} for {name}"


def _explain(fault: str, extra: str) -> str:
    install = f"pip install '.[{extra}]'"
    do = f"'make demo' makes one (.venv/bin/python), or {install}" if extra in IN_DEMO else install
    if fault.startswith("would take"):
        do = "rename that file, or remove its folder from PYTHONPATH"
    allowed = f"Python {'.'.join(map(str, OLDEST_PYTHON))} or later with the extra {extra}"
    return f"the Python {sys.executable} {fault}; allowed: {allowed}; {do}"
