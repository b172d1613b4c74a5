"""Two programs of this folder beside each other: runs both again and again, in turn, and tells how their figures differ.

    python3 pairs.py 7 "../../target/release/examples/rate" "./rate ."
"""

import collections
import statistics
import subprocess
import sys


def figures(command):
    """What a program prints: {(backend, name, unit): value}, and the name of its language."""
    output = subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
    lines = [line.split() for line in output.splitlines()]
    return lines[0][0], {(backend, name, unit): float(value) for _, backend, name, value, unit in lines}


def main():
    rounds, first, second = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    found = collections.defaultdict(list)
    names = ("", "")
    for turn in range(rounds):
        # Who comes first has no advantage.
        order = (first, second) if turn % 2 == 0 else (second, first)
        runs = [figures(command) for command in order]
        (one, a), (other, b) = runs if turn % 2 == 0 else reversed(runs)
        names = (one, other)
        for key in a:
            if key in b:
                found[key].append((a[key], b[key]))
    print(f"best of {rounds:<20}{names[0]:>10}{names[1]:>10}   {names[1]} beside {names[0]}: the best, the median of pairs")
    for (backend, name, unit), pairs in found.items():
        best = min if unit == "ns" else max
        a, b = (best(pair[side] for pair in pairs) for side in (0, 1))
        ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
        percent = f"{(b / a - 1) * 100:+.1f} %, {(ratio - 1) * 100:+.1f} %"
        print(f"{backend + ' ' + name:28}{a:10.2f}{b:10.2f} {unit:6} {percent}")


if __name__ == "__main__":
    main()
