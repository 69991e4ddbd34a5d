"""The rooms of the house, from the ground up: which may look into which, and which module alone may include a foreign header.

A room includes freely within itself. Of another room it sees what that room shows in include/akin, and only if the table
below names the room. It never sees another room's private headers, and never a room above it.
"""

# room: the rooms below it that its files may include.
ROOMS = {
    "base": [],
    "run": ["base"],
    "network": ["base"],
    "store": ["base", "run"],
    "allpairs": ["base", "run", "network", "store"],
    "ingest": ["base", "run", "store"],
    "features": ["base", "run", "network", "store"],
    "train": ["base", "run", "network", "store", "features"],
    "neighbors": ["base", "run", "store", "allpairs", "ingest", "features"],
    "evaluate": ["base", "run", "store"],
    "publish": ["base", "run", "store"],
    "gallery": ["base", "run", "network", "store", "ingest", "features", "evaluate", "publish"],
    "plan": ["base", "allpairs"],
    "jobs": ["base", "run", "network", "store", "allpairs", "ingest", "features", "train", "neighbors", "evaluate", "publish", "gallery", "plan"],
}

# Foreign header -> the modules whose files alone may include it.
OWNERS = [
    (r"mpi\.h", "comm"), (r"netcdf.*\.h", "ncfile"), (r"cblas\.h|lapacke\.h|openblas.*", "linalg"), (r"png\.h", "image_png"),
    (r"turbojpeg\.h|jpeglib\.h", "image_jpeg"), (r"webp/.*", "image_webp"), (r"libexif/.*", "image_exif"),
    (r"lcms2\.h", "image_color"), (r"libheif/.*", "image_heif"), (r"tiff.*\.h", "image_tiff"), (r"gif_lib\.h", "image_gif"),
    (r"gdk-pixbuf/.*", "image_bmp"),
    (r"archive.*\.h", "source_tar"), (r"csv\.h", "csv"), (r"iconv\.h", "charset"), (r"ini\.h", "jobfile"), (r"cjson/.*", "json"), (r"xxhash\.h", "hash"),
    (r"hiredis/.*", "redis"), (r"openssl/.*", "redis"), (r"curl/.*", "web"), (r"libmemcached/.*", "memcache"),
    (r"uuid/.*", "uuid"), (r"openvino/.*", "openvino_calls"), (r"dlfcn\.h", "openvino_calls"), (r"zlib\.h", "bucket"), (r"zlib\.h", "source_gzip"), (r"cmocka\.h", "tests"), (r"pthread\.h", "watchdog"), (r"pthread\.h", "worker"),
]

# C11, POSIX, Linux, and the compiler's own.
SYSTEM = set("""assert complex cpuid ctype dirent errno fcntl fenv float fnmatch ftw getopt glob immintrin inttypes iso646 langinfo
    libgen limits locale math netdb poll regex sched search setjmp signal spawn stdalign stdarg stdatomic stdbool stddef
    stdint stdio stdlib stdnoreturn string strings tgmath time ulimit unistd wchar wctype""".split())
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "linux/")
