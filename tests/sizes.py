"""Fails where a function is over 60 lines or a module over 300: `make lint` runs it."""

import ast
import sys
from pathlib import Path
from statistics import median

LONGEST_FUNCTION = 60
LONGEST_MODULE = 300
LONGEST_MEDIAN = 12
ROOT = Path(__file__).parent.parent


def main() -> int:
    problems, lengths = [], []
    for path in sorted([*ROOT.glob("fluidbench/**/*.py"), *ROOT.glob("steps/**/*.py"), *ROOT.glob("tests/**/*.py")]):
        source = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT)
        if (count := len(source.splitlines())) > LONGEST_MODULE:
            problems.append(f"{name}: {count} lines, at most {LONGEST_MODULE}")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                lengths.append(length)
                if length > LONGEST_FUNCTION:
                    problems.append(f"{name}:{node.lineno} {node.name}: {length} lines, at most {LONGEST_FUNCTION}")
    if (middle := median(lengths)) > LONGEST_MEDIAN:
        problems.append(f"the median function has {middle} lines, at most {LONGEST_MEDIAN}")
    sys.stdout.write("\n".join([*problems, f"{len(lengths)} functions, median {middle:g} lines"]) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
