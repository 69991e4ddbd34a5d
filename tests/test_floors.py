"""The floors of the house hold: every #include of include/akin, src and jobs goes down, or to a neighbour that the file's
opening comment names behind "looks down to"; a foreign header is in the one module that owns it; and every prototype
says whether it is collective.

The laws are first tried on files that break them, so that this test cannot pass for not looking."""

import os
import re
import sys

SOURCE = os.environ.get("AKIN_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

# Foreign header -> the module whose files alone may include it.
OWNERS = [
    (r"mpi\.h", "comm"), (r"netcdf.*\.h", "ncfile"), (r"cblas\.h|lapacke\.h|openblas.*", "gemm"), (r"png\.h", "image_png"),
    (r"turbojpeg\.h|jpeglib\.h", "image_jpeg"), (r"webp/.*", "image_webp"), (r"libexif/.*", "image_exif"),
    (r"archive.*\.h", "source_tar"), (r"csv\.h", "csv"), (r"ini\.h", "jobfile"), (r"cjson/.*", "json"), (r"xxhash\.h", "hash"),
    (r"hiredis/.*", "redis"), (r"openssl/.*", "redis"), (r"curl/.*", "web"), (r"libmemcached/.*", "memcache"), (r"uuid/.*", "uuid"), (r"zlib\.h", "bucket"),
    (r"cmocka\.h", "tests"), (r"pthread\.h", "watchdog"), (r"pthread\.h", "worker"),
]

# C11, POSIX, Linux, and the compiler's own.
SYSTEM = set("""assert complex ctype dirent errno fcntl fenv float fnmatch ftw getopt glob immintrin inttypes iso646 langinfo
    libgen limits locale math netdb poll regex sched search setjmp signal spawn stdalign stdarg stdatomic stdbool stddef
    stdint stdio stdlib stdnoreturn string strings tgmath time ulimit unistd wchar wctype""".split())
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "linux/")

FLOORS = {0: "base", 1: "kernels|world", 2: "data", 3: "stages", 4: "jobs"}


def module_of(path):
    """ncfile for src/ncfile.c, src/ncfile_read.c and src/ncfile_body.h, where include/akin/ncfile.h is the module."""
    return os.path.splitext(os.path.basename(path))[0]


class House:
    def __init__(self, files):
        """files: {path below the source tree: text}."""
        self.files = files
        self.errors = []
        self.floor, self.down = {}, {}
        for path, text in files.items():
            self.read_opening(path, text)

    def complain(self, path, line, what):
        self.errors.append(f"{path}:{line}: {what}")

    def read_opening(self, path, text):
        opening = re.match(r"\s*/\*(.*?)\*/", text, re.S)
        words = re.sub(r"\s*\n\s*\*?\s*", " ", opening.group(1)) if opening else ""
        floor = re.search(r"\bFloor (\d)(?: \((\w+)[^)]*\))?", words)
        looks = re.search(r"looks down to (.*?)(?:\. |\.$|$)", words.strip())
        if not floor or not looks:
            self.complain(path, 1, 'the opening comment does not say "Floor N (name); looks down to ..."')
        elif int(floor.group(1)) not in FLOORS or (floor.group(2) and not re.fullmatch(FLOORS[int(floor.group(1))], floor.group(2))):
            self.complain(path, 1, f"there is no {floor.group(0)}")
        self.floor[path] = int(floor.group(1)) if floor else None
        self.down[path] = set(re.findall(r"[a-z]\w*", looks.group(1))) if looks else set()

    def family(self, path):
        """The module that the file belongs to: the longest header name that the file's name begins with."""
        name = module_of(path)
        heads = [name[:i] for i in range(len(name), 0, -1) if i == len(name) or name[i] == "_"]
        return next((head for head in heads if f"include/akin/{head}.h" in self.files), name)

    def check_includes(self):
        for path, text in self.files.items():
            for number, line in enumerate(text.split("\n"), 1):
                include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
                if include:
                    self.check_include(path, number, include.group(1) == '"', include.group(2))

    def check_include(self, path, number, quoted, name):
        if quoted:
            target = os.path.normpath(os.path.join(os.path.dirname(path), name))
        elif name.startswith("akin/"):
            target = "include/" + name
        else:
            return self.check_foreign(path, number, name)
        if target not in self.files:
            self.complain(path, number, f"{name} is not there")
        elif self.floor[path] is None or self.floor[target] is None:
            pass  # has been complained about
        elif self.floor[target] > self.floor[path]:
            self.complain(path, number, f"floor {self.floor[path]} includes {name} of floor {self.floor[target]}")
        elif self.floor[target] == self.floor[path] and self.family(path) != self.family(target) \
                and not (path.startswith("jobs/") and quoted) \
                and not {module_of(target), self.family(target), "everything"} & self.down[path]:
            self.complain(path, number, f'includes {name} of its own floor, which its "looks down to" does not name')

    def check_foreign(self, path, number, name):
        owners = [owner for pattern, owner in OWNERS if re.fullmatch(pattern, name)]
        if owners:
            if not {self.family(path), module_of(path)} & set(owners):
                self.complain(path, number, f"<{name}> belongs to {' and '.join(owners)} alone")
            elif path.startswith("include/"):
                self.complain(path, number, f"<{name}> is hidden in src, not shown in a header")
            return
        if name.removesuffix(".h") not in SYSTEM and not name.startswith(SYSTEM_FOLDERS):
            self.complain(path, number, f"<{name}> is owned by no module: name its owner in tests/test_floors.py")

    def check_pairs(self):
        """A .c with a header of its name stands on the same floor."""
        for path, floor in self.floor.items():
            header = f"include/akin/{module_of(path)}.h"
            if path.startswith("src/") and header in self.files and floor != self.floor[header]:
                self.complain(path, 1, f"floor {floor}, but its header is on floor {self.floor[header]}")

    def check_prototypes(self):
        """Each public prototype, its comment, its block's comment or the header's opening says whether it is collective."""
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
        self.check_includes()
        self.check_pairs()
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
    for folder in ("include/akin", "src", "jobs"):
        for name in sorted(os.listdir(os.path.join(SOURCE, folder))):
            if name.endswith((".c", ".h")):
                with open(os.path.join(SOURCE, folder, name), encoding="utf-8") as f:
                    files[f"{folder}/{name}"] = f.read()
    return files


def test_broken_houses_are_seen_to_be_broken():
    sound = {
        "include/akin/a.h": "/* a. Floor 0 (base); looks down to nothing. Not collective. */\nvoid akin_a(void);\n",
        "include/akin/b.h": "/* b.\n *\n * Floor 1 (world); looks down to a.\n */\n#include <akin/a.h>\n/* Collective. */\nvoid akin_b(int n,\n  int m);\n",
        "src/b.c": "/* b. Floor 1 (world); looks down to a. */\n#include <akin/b.h>\n#include <stdio.h>\n",
        "src/comm.c": "/* comm. Floor 1 (world); looks down to b. */\n#include <akin/b.h>\n#include <mpi.h>\n",
    }
    assert House(sound).check() == [], House(sound).check()
    breaks = [
        ("include/akin/a.h", "void akin_a", "#include <akin/b.h>\nvoid akin_a", "of floor 1"),
        ("src/comm.c", "looks down to b", "looks down to a", "does not name"),
        ("src/b.c", "stdio.h", "mpi.h", "belongs to comm"),
        ("src/b.c", "stdio.h", "fftw3.h", "owned by no module"),
        ("src/b.c", "akin/b.h", "akin/c.h", "is not there"),
        ("src/b.c", "Floor 1 (world)", "Floor 2 (data)", "its header is on floor 1"),
        ("src/b.c", "Floor 1", "Flat 1", "opening comment"),
        ("src/b.c", "world", "data", "there is no"),
        ("include/akin/b.h", "/* Collective. */", "", "akin_b"),
        ("include/akin/b.h", "/* Collective. */", "/* Collective. */\nint akin_c(void);\n", "akin_b"),
    ]
    for path, old, new, expected in breaks:
        broken = {**sound, path: sound[path].replace(old, new)}
        assert broken[path] != sound[path]
        errors = House(broken).check()
        assert any(expected in e for e in errors), (path, new, errors)


def test_the_house_stands():
    house = House(read_tree())
    errors = house.check()
    for error in errors:
        print(error)
    assert not errors, f"{len(errors)} places break the rules of the house"
    assert len(house.files) > 20 and house.check_prototypes() > 100


if __name__ == "__main__":
    test_broken_houses_are_seen_to_be_broken()
    test_the_house_stands()
    sys.exit(0)
