"""Print the longest files and function bodies: a number to be curious about, not a gate."""

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"


def main() -> None:
    """Print ten of each."""
    files, bodies = [], []
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(SOURCE)
        files.append((text.count("\n"), str(name)))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
                length = (node.end_lineno or 0) - first.lineno + 1
                bodies.append((length, f"{name}: {node.name}"))
    lengths = sorted(length for length, _ in bodies)
    print(f"{len(files)} files, {sum(n for n, _ in files)} lines, {len(bodies)} functions,")
    print(f"body median {lengths[len(lengths) // 2]}, p90 {lengths[len(lengths) * 9 // 10]} lines")
    for title, rows in (("longest files", files), ("longest bodies", bodies)):
        print(f"\n{title}")
        for length, name in sorted(rows, reverse=True)[:10]:
            print(f"{length:5}  {name}")


if __name__ == "__main__":
    main()
