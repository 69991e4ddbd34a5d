"""The recipes of slurm/packaging name every library that CMakeLists.txt asks for, and do what their tool expects of them: those
in Python are executed with stand-ins for what their tool gives them. results/clusters.md says what the tools themselves said."""

import os
import re
import types
import sys

SOURCE = os.environ["AKIN_SOURCE"]
PACKAGING = os.path.join(SOURCE, "slurm", "packaging")

# What CMakeLists.txt asks for: (Debian, EasyBuild, Spack); None: comes with another of the list.
NAMES = {
    "MPI": ("libopenmpi-dev", None, "mpi"), "netCDF": ("libnetcdf-mpi-dev", "netCDF", "netcdf-c"), "openblas": ("libopenblas-dev", None, "openblas"),
    "lapacke": ("liblapacke-dev", None, None), "libpng": ("libpng-dev", "libpng", "libpng"),
    "libturbojpeg": ("libturbojpeg0-dev", "libjpeg-turbo", "libjpeg-turbo"), "libjpeg": ("libjpeg-dev", None, None),
    "lcms2": ("liblcms2-dev", "LittleCMS", "lcms"), "libheif": ("libheif-dev", "libheif", "libheif"),
    "gdk-pixbuf-2.0": ("libgdk-pixbuf-2.0-dev", "Gdk-Pixbuf", "gdk-pixbuf"), "libwebp": ("libwebp-dev", "libwebp", "libwebp"),
    "libwebpdemux": (None, None, None), "libarchive": ("libarchive-dev", "libarchive", "libarchive"),
    "libexif": ("libexif-dev", "libexif", "libexif"), "inih": ("libinih-dev", "inih", "inih"), "libcjson": ("libcjson-dev", "cJSON", "cjson"),
    "libxxhash": ("libxxhash-dev", "xxHash", "xxhash"), "hiredis": ("libhiredis-dev", "hiredis", "hiredis"),
    "hiredis_ssl": (None, None, None), "openssl": ("libssl-dev", "OpenSSL", "openssl"),
    "libmemcached": ("libmemcached-dev", "libmemcached", "libmemcached"), "libcurl": ("libcurl4-openssl-dev", "cURL", "curl"),
    "uuid": ("uuid-dev", "util-linux", "util-linux-uuid"), "zlib": ("zlib1g-dev", "zlib", "zlib-api"),
    "libtiff": ("libtiff-dev", "LibTIFF", "libtiff"), "GIF": ("libgif-dev", "giflib", "giflib"), "CSV": ("libcsv-dev", "libcsv", "libcsv"),
}
# Not libraries, or optional and not among these recipes.
OTHERS = {"Threads", "PkgConfig", "OpenVINO", "${library}"}


def text_of(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as f:
        return f.read()


def asked_for():
    text = re.sub(r"#.*", "", text_of("CMakeLists.txt"))
    names = set(re.findall(r"(?:find_package|pkg_check_modules)\((\S+)", text)) | set(re.findall(r"find_library\((\w+)_LIBRARY", text))
    names |= set(re.search(r"foreach\(library ([^)]*)\)", text).group(1).split())
    return names - OTHERS


def test_the_table_is_that_of_the_build():
    assert asked_for() == set(NAMES), asked_for() ^ set(NAMES)


def wanted(column):
    return {names[column] for names in NAMES.values() if names[column]}


def test_debian():
    build = re.search(r'^build="(.*?)"', text_of("jobs", "packages.sh"), re.S | re.M).group(1).split()
    assert not wanted(0) - set(build), wanted(0) - set(build)


def test_without_apt():
    """Where there is no apt-get, packages.sh asks pkg-config for the libraries that the build finds by it and cannot do without."""
    script, build = text_of("jobs", "packages.sh"), re.sub(r"#.*", "", text_of("CMakeLists.txt"))
    asked = re.search(r"for library in (.*); do", script).group(1)
    wanted = set(re.search(r"foreach\(library ([^)]*)\)", build).group(1).split()) | {"cmocka"}
    required = re.search(r"pkg_check_modules\(libtiff REQUIRED IMPORTED_TARGET ([^)>]*)>=([^)]*)\)", build)
    assert f"'{required[1]} >= {required[2]}'" in asked, asked
    assert set(re.sub(r"'.*?'", "", asked).split()) == wanted, set(asked.split()) ^ wanted


def test_images():
    """The recipes of Apptainer and of the other images do the same: the packages of packages.sh, then those that the program loads."""
    texts = {name: text_of("slurm", "packaging", name) for name in ("Containerfile", "akin.def")}
    for name, text in texts.items():
        for step in ("rm -rf build* .openvino", "sh jobs/packages.sh build", "cmake --preset release -DAKIN_TESTS=OFF", "cmake --install build --prefix /opt/akin",
                     "$(cat /opt/akin/packages)"):
            assert step in text, (name, step)
    assert re.findall(r"^FROM (.*)$", texts["Containerfile"], re.M) == ["$BASE AS build", "$BASE"]  # Charliecloud 0.31 refuses ${BASE} there
    for step in re.findall(r"^RUN (.*)$", texts["Containerfile"], re.M):  # ch-image --force looks for the name in the step itself
        assert "packages.sh" not in step or "apt-get" in step, step
    shared = [set(re.findall(r"ldd .*|debian:[\w-]+|openmpi-bin", text)) for text in texts.values()]
    assert {re.sub(r"\s*>\s*/opt.*", "", step) for step in shared[0]} == {re.sub(r"\s*>\s*/opt.*", "", step) for step in shared[1]}, shared


def test_easybuild():
    folder = os.path.join(PACKAGING, "easybuild")
    read = {}
    for name in sorted(os.listdir(folder)):
        config = {"SYSTEM": {"name": "system", "version": "system"}, "SHLIB_EXT": "so"}
        exec(compile(text_of("slurm", "packaging", "easybuild", name), name, "exec"), config)
        chain = config["toolchain"]
        assert name == f"{config['name']}-{config['version']}-{chain['name']}-{chain['version']}.eb", name
        assert config["description"] and config["sources"] and config["sanity_check_paths"], name
        read[config["name"]] = config
    found = {entry[0]: entry[1] for entry in read["akin"]["dependencies"]}
    assert set(found) == wanted(1), set(found) ^ wanted(1)
    assert all(found[name] == config["version"] for name, config in read.items() if name != "akin")
    assert read["akin"]["version"] == re.search(r"project\(akin VERSION (\S+)", text_of("CMakeLists.txt")).group(1)


def test_spack():
    told = {"depends_on": [], "version": [], "license": [], "requires": []}
    spack = types.ModuleType("spack.package")
    for directive in told:
        setattr(spack, directive, lambda *words, _d=directive, **more: told[_d].append((words, more)))
    cmake = types.ModuleType("spack_repo.builtin.build_systems.cmake")
    cmake.CMakePackage = type("CMakePackage", (), {"define": staticmethod(lambda n, v: f"-D{n}:BOOL={'ON' if v else 'OFF'}")})
    folders = [types.ModuleType(name) for name in ("spack", "spack_repo", "spack_repo.builtin", "spack_repo.builtin.build_systems")]
    sys.modules.update({module.__name__: module for module in [*folders, spack, cmake]})
    recipe = {}
    exec(compile(text_of("slurm", "packaging", "spack", "package.py"), "package.py", "exec"), recipe)
    link = {re.split(r"[@+~]", words[0])[0] for words, more in told["depends_on"] if "type" not in more}
    assert link == wanted(2), link ^ wanted(2)
    assert recipe["Akin"]().cmake_args() == ["-DAKIN_TESTS:BOOL=OFF"] and told["version"] and told["requires"]


def test_reframe():
    for name in ("akin_check.py", "settings.py"):
        compile(text_of("slurm", "packaging", "reframe", name), name, "exec")
    site = {}
    exec(text_of("slurm", "packaging", "reframe", "settings.py"), site)
    assert [s["name"] for s in site["site_configuration"]["systems"]] == ["local", "slurm"]


for name, function in list(globals().items()):
    if name.startswith("test_"):
        function()
