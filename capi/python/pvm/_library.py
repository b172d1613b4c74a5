"""Finds and loads libpvm."""

import ctypes
import ctypes.util
import os
import pathlib

from . import _declarations

#: Names a libpvm to load instead of the one in this package.
VARIABLE = "PVM_LIBRARY"


def _candidates():
    if named := os.environ.get(VARIABLE):
        return [named]
    here = pathlib.Path(__file__).parent
    inside = [str(path) for path in sorted(here.glob("libpvm.*"))]
    installed = ctypes.util.find_library("pvm")
    return inside + ([installed] if installed else []) + ["libpvm.so.1", "libpvm.dylib"]


def _load() -> ctypes.CDLL:
    failures = []
    for candidate in _candidates():
        try:
            library = ctypes.CDLL(candidate)
        except OSError as error:
            failures.append(str(error))
            continue
        for name, (result, arguments) in _declarations.FUNCTIONS.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
        if library.pvm_abi_version() != _declarations.PVM_ABI_VERSION:
            raise ImportError(
                f"{candidate} has version {library.pvm_abi_version()} of the interface, "
                f"this package is for {_declarations.PVM_ABI_VERSION}"
            )
        return library
    raise ImportError(f"libpvm cannot be loaded (set {VARIABLE} to its file): " + "; ".join(failures))


library = _load()
