"""Builds the wheel: the package and the library that PVM_LIBRARY names. Needs nothing but Python.

    PVM_LIBRARY=/usr/local/lib/libpvm.so python3 -m pip wheel --no-deps --wheel-dir dist .
"""

import base64
import hashlib
import os
import pathlib
import re
import sysconfig
import zipfile

HERE = pathlib.Path(__file__).parent
# The same input gives the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def _project(field: str) -> str:
    text = (HERE / "pyproject.toml").read_text()
    return re.search(rf'^{field} = "(.*)"$', text, flags=re.M).group(1)


def _platform() -> str:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return platform


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """PEP 517: builds the wheel and gives its name."""
    library = os.environ.get("PVM_LIBRARY")
    if not library:
        raise SystemExit("PVM_LIBRARY must name the libpvm that the wheel contains")
    name, version = _project("name"), _project("version")
    tag = f"py3-none-{_platform()}"
    info = f"{name}-{version}.dist-info"
    source = pathlib.Path(library).resolve()
    suffix = ".dylib" if ".dylib" in source.name else ".dll" if ".dll" in source.name else ".so"
    files = {
        f"pvm/{path.name}": path.read_bytes()
        for path in sorted((HERE / "pvm").iterdir())
        if path.suffix in (".py", ".typed") or path.name == "py.typed"
    }
    files[f"pvm/libpvm{suffix}"] = source.read_bytes()
    readme = (HERE / "README.md").read_text()
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {_project('description')}\n"
        f"License: Apache-2.0\nRequires-Python: {_project('requires-python')}\n"
        f"Description-Content-Type: text/markdown\n\n{readme}"
    ).encode()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: libpvm\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    )
    record = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()

    wheel = f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return wheel
