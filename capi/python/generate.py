"""Makes pvm/_declarations.py from pvm.h: constants, and the signatures of all functions for ctypes.

    python3 generate.py [--check]
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
HEADER = HERE.parent / "include" / "pvm.h"
TARGET = HERE / "pvm" / "_declarations.py"

NUMBERS = {
    "void": "None",
    "int": "c_int",
    "char": "c_char",
    "size_t": "c_size_t",
    "pvm_status_t": "c_int32",
    "pvm_result_t": "c_int32",
    "pvm_host_result_t": "c_int32",
    **{f"{sign}int{bits}_t": f"c_{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


def ctype(text: str) -> str:
    """The ctypes type of a C type."""
    if text.replace(" ", "") == "constchar*":
        return "c_char_p"
    if "*" in text or text.endswith("callback_t"):
        return "c_void_p"
    return NUMBERS[text.replace("const ", "").strip()]


def generate(header: str) -> str:
    """The text of _declarations.py."""
    plain = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    plain = plain.split("#ifdef PVM_SHORT_NAMES")[0]
    lines = [
        '"""Constants and signatures of libpvm. Made by generate.py from pvm.h: do not edit."""',
        "",
        "from ctypes import c_char_p, c_int, c_int32, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p",
        "",
    ]
    for name, value in re.findall(r"^#define (PVM_\w+) (-?\d+)(?:u?ll)?$", plain, flags=re.M):
        lines.append(f"{name} = {value}")
    lines += ["", "FUNCTIONS = {"]
    for result, name, parameters in re.findall(
        r"^((?:const )?\w+ \**)(pvm_\w+)\(([^;{}]*)\);", plain, flags=re.M
    ):
        types = []
        for parameter in parameters.split(","):
            parameter = " ".join(parameter.split())
            if parameter != "void":
                types.append(ctype(re.sub(r"\w+$", "", parameter).strip()))
        lines.append(f'    "{name}": ({ctype(result.strip())}, [{", ".join(types)}]),')
    lines += ["}", ""]
    return "\n".join(lines)


def main() -> int:
    made = generate(HEADER.read_text())
    if "--check" in sys.argv:
        if TARGET.read_text() != made:
            print(f"{TARGET} is not what pvm.h gives: run generate.py")
            return 1
        return 0
    TARGET.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
