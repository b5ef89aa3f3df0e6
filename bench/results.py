"""The one writer of RESULTS.md: sections between marker comments, tables whose rows have keys.

A run replaces its own rows and leaves the others, so that one scenario can be measured again.
Sections always stand in the order of SECTIONS.
"""

import os
import re

SECTIONS = {
    "machine": "Machine",
    "versus": "Beside other tools",
    "testfiles": "Test files",
    "memory": "Memory per idle connection",
    "truth": "Truth on the real clock",
    "micro": "Micro-benchmarks",
}

_HEAD = """# Results

Written by the programs in this folder; `README.md` says how each figure comes about. Figures
without a machine mean nothing: compare only inside one table.
"""


class Results:
    """RESULTS.md in memory; save() writes it."""

    def __init__(self, path):
        self._path = path
        self._bodies = {}
        if os.path.exists(path):
            with open(path) as file:
                text = file.read()
            for name in SECTIONS:
                match = re.search(rf"<!-- begin {name} -->\n(.*?)<!-- end {name} -->", text, re.S)
                if match:
                    self._bodies[name] = match[1].strip("\n")

    def set_facts(self, section, facts):
        """A table of name and value."""
        lines = [f"| {key} | {value} |" for key, value in facts.items()]
        self._bodies[section] = "\n".join(["| | |", "|---|---|", *lines])

    def merge_table(self, section, intro, columns, rows, keys, order):
        """Replaces or adds `rows` (lists of text as long as `columns`) in the table of `section`.
        The first `keys` cells of a row are its key; `order` sorts keys."""
        merged = {tuple(row[:keys]): row for row in self._rows(section, columns)}
        changed = {row[0] for row in rows}
        # A group (first cell) that was measured again loses rows that were not: another tool set.
        merged = {key: row for key, row in merged.items() if key[0] not in changed}
        merged.update({tuple(row[:keys]): row for row in rows})
        lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        lines += ["| " + " | ".join(merged[key]) + " |" for key in sorted(merged, key=order)]
        self._bodies[section] = intro.strip() + "\n\n" + "\n".join(lines)

    def _rows(self, section, columns):
        rows = []
        for line in self._bodies.get(section, "").splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("| ") and len(cells) == len(columns) and cells != list(columns):
                rows.append(cells)
        return rows

    def save(self):
        """Writes the file whole, by a new name first."""
        parts = [_HEAD]
        for name, title in SECTIONS.items():
            if name in self._bodies:
                parts.append(f"## {title}\n<!-- begin {name} -->\n{self._bodies[name]}\n"
                             f"<!-- end {name} -->\n")
        with open(self._path + ".new", "w") as file:
            file.write("\n".join(parts))
        os.replace(self._path + ".new", self._path)
