# A Spack recipe for Spack 1.0 or newer. Lay it into a package repository of your own as packages/akin/package.py, and give `git`
# the address that you clone from.
from spack_repo.builtin.build_systems.cmake import CMakePackage

from spack.package import *


class Akin(CMakePackage):
    """The nightly "similar items" table of a store, computed on a cluster."""

    homepage = "https://localhost/akin"
    git = "file:///path/to/akin"

    license("Apache-2.0")

    version("main", branch="main")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi")
    depends_on("netcdf-c+mpi")
    depends_on("openblas")  # with LAPACKE, which is the default
    depends_on("libpng")
    depends_on("libjpeg-turbo")
    depends_on("libtiff@4.5:")
    depends_on("giflib")
    depends_on("libwebp+libwebpdemux")
    depends_on("libheif")  # decodes HEIC and AVIF only where it was built with libde265 and dav1d or aom
    depends_on("gdk-pixbuf")
    depends_on("lcms")
    depends_on("libexif")
    depends_on("libarchive")
    depends_on("cjson")
    depends_on("xxhash")
    depends_on("hiredis+ssl")  # TLS to Redis
    depends_on("openssl")
    depends_on("curl")
    depends_on("util-linux-uuid")
    depends_on("zlib-api")
    # Spack's own repository had none of these when this was written: make recipes for them, or give them as externals.
    depends_on("inih")
    depends_on("libcsv")
    depends_on("libmemcached")

    requires("target=x86_64:")

    def cmake_args(self):
        return [self.define("AKIN_TESTS", False)]
