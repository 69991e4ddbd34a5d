# A Spack recipe. NOT TESTED HERE: there is no Spack on the machine that akin is tested on. Lay it into a repository of
# your own as packages/akin/package.py, and give `git` the address that you clone from.
from spack.package import *


class Akin(CMakePackage):
    """The nightly "similar items" table of a store, computed on a cluster."""

    git = "file:///path/to/akin"
    license("Apache-2.0")
    version("main", branch="main")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("netcdf-c+mpi")
    depends_on("openblas")
    depends_on("libpng")
    depends_on("libjpeg-turbo")
    depends_on("libwebp+libwebpdemux")
    depends_on("libarchive")
    depends_on("libexif")
    depends_on("inih")
    depends_on("cjson")
    depends_on("xxhash")
    depends_on("hiredis+ssl")
    depends_on("libmemcached")
    depends_on("curl")
    depends_on("util-linux-uuid")
    depends_on("zlib-api")
    # libcsv has no recipe in Spack's own repository: make one, or install it on the system.

    requires("target=x86_64:")

    def cmake_args(self):
        return [self.define("AKIN_TESTS", False)]
