"""The structure of the sources: every #include is of a header of its own room or of one that a room below shows, as the table in
rooms.py says; a header is shown in include/akin only where another room uses it; a foreign header is in the one module that
owns it; every room has its README; and every prototype that a room shows says whether it is collective.

The laws are first tried on houses that break them, to prove that this test detects violations."""

import os
import re
import subprocess
import sys

from rooms import OWNERS, ROOMS, SYSTEM, SYSTEM_FOLDERS

SOURCE = os.environ.get("AKIN_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def module_of(path):
    """ncfile for src/store/ncfile.c."""
    return os.path.splitext(os.path.basename(path))[0]


class House:
    def __init__(self, files, rooms=ROOMS):
        """files: {path below the source tree: text}; rooms: the table."""
        self.files, self.rooms = files, rooms
        self.errors = []
        self.users = {}  # header of include/akin -> rooms that include it
        self.order = list(rooms)
        self.room = {path: self.room_of(path) for path in files}

    def complain(self, path, line, what):
        self.errors.append(f"{path}:{line}: {what}")

    def room_of(self, path):
        """The room whose folder holds the file; of a header that is shown, the one that holds its module's .c or most of its family."""
        parts = path.split("/")
        if parts[0] == "src":
            return parts[1]
        if parts[0] == "jobs":
            return "jobs"
        name = module_of(path)
        for own in (f"{name}.c", f"{name}_"):
            for other in self.files:
                if other.startswith("src/") and os.path.basename(other).startswith(own):
                    return other.split("/")[1]
        return next((room for room in self.order if f"akin/{room}/" in path), "base")

    def family(self, path):
        """The names that the file goes by: its own and the heads of it (image, image_png for image_png.c)."""
        name = module_of(path)
        return {name} | {name[:i] for i in range(len(name)) if name[i] == "_"}

    def check_table(self):
        for place, (room, below) in enumerate(self.rooms.items()):
            for other in below:
                if other not in self.order[:place]:
                    self.complain("rooms.py", 1, f"{room} looks up to {other}")

    def check_includes(self):
        for path, text in self.files.items():
            if self.room[path] not in self.rooms:
                self.complain(path, 1, f"{self.room[path]} is no room of the table")
                continue
            for number, line in enumerate(text.split("\n"), 1):
                include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
                if include:
                    self.check_include(path, number, include.group(1) == '"', include.group(2))

    def check_include(self, path, number, quoted, name):
        if quoted:
            target = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if target in self.files and self.room[target] != self.room[path]:
                return self.complain(path, number, f"{name} is private to {self.room[target]}")
            if path.startswith("include/"):
                return self.complain(path, number, f"a header that is shown includes {name}, which is not")
        elif name.startswith("akin/"):
            target = "include/" + name
            self.users.setdefault(target, set()).add("shown" if path.startswith("include/") else self.room[path])
        else:
            return self.check_foreign(path, number, name)
        if target not in self.files:
            return self.complain(path, number, f"{name} is not there")
        room, other = self.room[path], self.room[target]
        if other != room and other not in self.rooms[room]:
            self.complain(path, number, f"{room} may not look into {other} ({name})")

    def check_foreign(self, path, number, name):
        owners = {owner for pattern, owner in OWNERS if re.fullmatch(pattern, name)}
        if owners:
            if not self.family(path) & owners:
                self.complain(path, number, f"<{name}> belongs to {' and '.join(sorted(owners))} alone")
            elif path.startswith("include/"):
                self.complain(path, number, f"<{name}> is hidden in src, not shown in a header")
            return
        if name.removesuffix(".h") not in SYSTEM and not name.startswith(SYSTEM_FOLDERS):
            self.complain(path, number, f"<{name}> is owned by no module: name its owner in tests/house/rooms.py")

    def check_shown(self):
        """A header in include/akin is used by another room, or by a header that is shown."""
        for path in self.files:
            if path.startswith("include/") and not self.users.get(path, set()) - {self.room[path]}:
                self.complain(path, 1, f"only {self.room[path]} uses it: it belongs beside its .c")

    def check_prototypes(self):
        """Each prototype that is shown, its comment, its block's comment or the header's opening says whether it is collective."""
        count = 0
        for path, text in self.files.items():
            if not path.startswith("include/"):
                continue
            opening = text[:text.find("*/")]
            for start, prototype in prototypes(text):
                count += 1
                if not any(re.search(r"\bcollective\b", said, re.I) for said in (opening, prototype, comment_before(text, start))):
                    name = re.search(r"(\w+)\(", prototype).group(1)
                    self.complain(path, text.count("\n", 0, start) + 1, f'{name}: says neither "Collective" nor "Not collective"')
        return count

    def check(self):
        self.check_table()
        self.check_includes()
        self.check_shown()
        self.check_prototypes()
        return self.errors


def prototypes(text):
    """(offset, text with a comment that trails it) of each function prototype of a header."""
    code = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M)
    while True:  # bodies of structs and enums
        blank = re.sub(r"\{[^{}]*\}", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code)
        if blank == code:
            break
        code = blank
    for match in re.finditer(r"[^;]+;", code):
        body = match.group(0)
        if "(" not in body or re.match(r"\s*(typedef|extern)\b", body) or not re.search(r"\bakin_\w+\(", body):
            continue
        start = match.start() + len(body) - len(body.lstrip())
        end = text.find("\n", match.end())
        yield start, text[start:end if end >= 0 else len(text)]


def comment_before(text, start):
    """The comment above the block of lines that the offset is in; a blank line or a comment of its own begins a block."""
    head = text[:start].rstrip("\n").split("\n\n")[-1] if text[:start].endswith("\n\n") is False else ""
    comments = list(re.finditer(r"/\*.*?\*/", head, re.S))
    own_lines = [c for c in comments if not head[head.rfind("\n", 0, c.start()) + 1:c.start()].strip()]
    return own_lines[-1].group(0) if own_lines else ""


def read_tree():
    files = {}
    for top in ("include/akin", "src", "jobs"):
        for folder, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as f:
                        files[os.path.relpath(path, SOURCE)] = f.read()
    return files


def test_broken_houses_are_seen_to_be_broken():
    rooms = {"base": [], "run": ["base"], "jobs": ["run"]}
    sound = {
        "include/akin/a.h": "/* a. Not collective. */\nvoid akin_a(void);\n",
        "include/akin/comm.h": "/* comm. */\n#include <akin/a.h>\n/* Collective. */\nvoid akin_comm(int n,\n  int m);\n",
        "src/base/a.c": '/* a. */\n#include <akin/a.h>\n#include "b.h"\n#include <stdio.h>\n',
        "src/base/b.h": "/* b. Not collective. */\nvoid akin_b(void);\n",
        "src/run/comm.c": "/* comm. */\n#include <akin/comm.h>\n#include <mpi.h>\n",
        "jobs/akin.c": "/* akin. */\n#include <akin/comm.h>\n",
    }
    assert House(sound, rooms).check() == [], House(sound, rooms).check()
    breaks = [
        ("src/base/a.c", "<akin/a.h>", "<akin/comm.h>", "base may not look into run"),
        ("jobs/akin.c", "<akin/comm.h>", "<akin/a.h>", "jobs may not look into base"),
        ("jobs/akin.c", "<akin/comm.h>", '"../src/base/b.h"', "private to base"),
        ("include/akin/comm.h", "<akin/a.h>", '"../../src/run/x.h"', "which is not"),
        ("src/base/a.c", "stdio.h", "mpi.h", "belongs to comm"),
        ("src/base/a.c", "stdio.h", "fftw3.h", "owned by no module"),
        ("src/base/a.c", "akin/a.h", "akin/c.h", "is not there"),
        ("include/akin/comm.h", "#include <akin/a.h>\n", "", "only base uses it"),
        ("include/akin/comm.h", "/* Collective. */", "", "akin_comm"),
        ("include/akin/comm.h", "/* Collective. */", "/* Collective. */\nint akin_c(void);\n", "akin_comm"),
    ]
    for path, old, new, expected in breaks:
        broken = {**sound, path: sound[path].replace(old, new)}
        assert broken[path] != sound[path], (path, old)
        errors = House(broken, rooms).check()
        assert any(expected in e for e in errors), (path, new, errors)
    assert any("looks up" in e for e in House(sound, {"base": ["run"], "run": ["base"], "jobs": ["run"]}).check())


def test_the_house_stands():
    house = House(read_tree())
    errors = house.check()
    for error in errors:
        print(error)
    assert not errors, f"{len(errors)} places break the rules of the house"
    assert len(house.files) > 20 and house.check_prototypes() > 100


def test_every_room_has_its_readme():
    for room in ROOMS:
        folder = os.path.join(SOURCE, "jobs" if room == "jobs" else f"src/{room}")
        readme = os.path.join(folder, "README.md")
        assert os.path.exists(readme), f"{readme} is missing"
        with open(readme, encoding="utf-8") as f:
            text = f.read()
        for name in re.findall(r"`([\w/]+\.[ch])`", text):
            assert os.path.exists(os.path.join(folder, name)) or os.path.exists(os.path.join(SOURCE, "include", "akin", os.path.basename(name))), \
                f"{readme} names {name}, which is not there"
    with open(os.path.join(SOURCE, "src", "README.md"), encoding="utf-8") as f:
        named = set(re.findall(r"`([\w/]+\.[ch])`", f.read()))
    have = read_tree()
    missing = [name for name in named if not any(path.endswith("/" + name) for path in have) and name not in have]
    assert len(named) > 15 and not missing, f"src/README.md names {missing}, which do not exist"
    folders = {d for d in os.listdir(os.path.join(SOURCE, "src")) if os.path.isdir(os.path.join(SOURCE, "src", d))}
    assert folders == set(ROOMS) - {"jobs"}, folders ^ (set(ROOMS) - {"jobs"})


def levels_of(text):
    """How many kernels each table of them names that cpu.h's levels index."""
    return [len([name for name in table.split(",") if name.strip()]) for table in re.findall(r"AKIN_CPU_LEVELS\] = \{(.*?)\};", text, re.S)]


def test_every_table_of_kernels_has_every_level():
    tree = read_tree()
    with open(os.path.join(SOURCE, "include", "akin", "cpu.h"), encoding="utf-8") as f:
        levels = len(set(re.findall(r"\bAKIN_CPU_[A-Z0-9]+\b(?=[, ].*/\*)", f.read())))
    tables = {path: levels_of(text) for path, text in tree.items() if levels_of(text)}
    assert levels_of("t[AKIN_CPU_LEVELS] = {&a_v1, &a_v3};") == [2] and levels >= 5 and len(tables) > 10, (levels, tables)
    for path, counts in tables.items():
        assert all(count == levels for count in counts), f"{path}: a table of {counts} kernels, cpu.h has {levels} levels"


def test_every_source_compiles_without_openvino():
    sources = [path for path, text in read_tree().items() if path.endswith(".c") and "#ifdef AKIN_OPENVINO" in text]
    assert len(sources) >= 2, sources
    for path in sources:
        subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-Iinclude", "-Isrc", path],
                       cwd=SOURCE, check=True)


if __name__ == "__main__":
    test_every_source_compiles_without_openvino()
    test_every_table_of_kernels_has_every_level()
    test_broken_houses_are_seen_to_be_broken()
    test_the_house_stands()
    test_every_room_has_its_readme()
    sys.exit(0)
