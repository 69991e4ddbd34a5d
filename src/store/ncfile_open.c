/* ncfile_open: opening a file of ncfile.h to read: every rank opens it separately, and everything is
 * checked before it is used. */
#include "ncfile_body.h"

#include "seal.h"
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEEK_BYTES_MAX                                                                             \
    (64u << 20) /* largest file that one rank verifies completely before a quick look */
#define DEFLATE_RATIO_MAX                                                                          \
    1032 /* the largest compression ratio of deflate (zlib, technical
                                * details) */

const nc_type akin_ncfile_types[AKIN_NC_TYPES] = {
    [AKIN_NC_CHAR] = NC_CHAR,   [AKIN_NC_BYTE] = NC_BYTE,     [AKIN_NC_UBYTE] = NC_UBYTE,
    [AKIN_NC_INT] = NC_INT,     [AKIN_NC_INT64] = NC_INT64,   [AKIN_NC_UINT64] = NC_UINT64,
    [AKIN_NC_FLOAT] = NC_FLOAT, [AKIN_NC_DOUBLE] = NC_DOUBLE,
};

void akin_ncfile_release(akin_ncfile *file) {
    if (!file) return;
    for (size_t a = 0; a < file->attribute_count; a++) {
        akin_mem_free(file->attributes[a].variable);
        akin_mem_free(file->attributes[a].name);
        akin_mem_free(file->attributes[a].values);
    }
    akin_mem_free(file->attributes);
    akin_mem_free(file->variables);
    akin_mem_free(file->names);
    akin_nclayout_free(file->layout);
    akin_mem_free(file->path);
    akin_mem_free(file->part);
    akin_mem_free(file->kind);
    akin_mem_free(file);
}

akin_status akin_ncfile_allocate(const char *path, akin_ncfile **out) {
    /* Files appear by rename and are never changed afterwards; locks would only fail on
     * read-only and network folders. */
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    if (strchr(path, '\\')) /* the library would take it for a slash, and open another file */
        return akin_error_set(AKIN_FAILED,
                              "%s: the name of a NetCDF file cannot contain a backslash", path);
    akin_ncfile *file = akin_mem_zalloc(1, sizeof *file);
    if (!file) return AKIN_FAILED;
    file->id = -1;
    file->path = akin_mem_text(path);
    file->part = akin_file_part_name(path);
    if (!file->path || !file->part || akin_nclayout_create(&file->layout) != AKIN_OK) {
        akin_ncfile_release(file);
        return AKIN_FAILED;
    }
    *out = file;
    return AKIN_OK;
}

akin_status akin_ncfile_refuse(const akin_ncfile *file, const char *what) {
    return akin_error_set(AKIN_INPUT, "%s: %s; create it again", file->path, what);
}

akin_status akin_ncfile_trouble(const akin_ncfile *file, int code) {
    if (code == NC_ENOMEM)
        return akin_error_set(AKIN_FAILED, "%s: not enough memory to read it", file->path);
    if (code > 0 || (code == NC_EHDFERR && file->whole))
        return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", file->path, nc_strerror(code));
    return akin_error_set(AKIN_INPUT, "%s: damaged or not an akin file: %s", file->path,
                          nc_strerror(code));
}

/* Recognises other files by their first bytes. */
static const char *guess_format(const unsigned char *begin) {
    static const struct {
        const char *begin, *name;
    } formats[] = {{"\x93NUMPY", "a .npy file"},
                   {"PK\003\004", "a ZIP archive; of an .npz, save the array with numpy.save"},
                   {"CDF", "a classic NetCDF file"},
                   {"\x89PNG", "a PNG picture"},
                   {"\xff\xd8\xff", "a JPEG picture"},
                   {"<", "a web page or XML"}};
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
        if (memcmp(begin, formats[f].begin, strlen(formats[f].begin)) == 0) return formats[f].name;
    return "neither a NetCDF-4 nor a .npy file";
}

/* Before the library opens it: it is a file, it can be read, and it begins like NetCDF-4 (HDF5). */
static akin_status check_signature(akin_ncfile *file) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char begin[8] = {0};
    struct stat found;
    int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &found) != 0) {
        int code = errno;
        if (descriptor >= 0) close(descriptor);
        return akin_file_cannot_open(file->path, code);
    }
    ssize_t count = akin_fault_read()        ? -1
                    : S_ISREG(found.st_mode) ? read(descriptor, begin, sizeof begin)
                                             : 0;
    int code = errno;
    close(descriptor);
    if (count < 0)
        return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", file->path, strerror(code));
    file->bytes = (size_t)found.st_size;
    if (!S_ISREG(found.st_mode))
        return akin_error_set(AKIN_INPUT, "%s: not an akin file: not a regular file", file->path);
    if (found.st_size == 0) return akin_ncfile_refuse(file, "not an akin file: it is empty");
    if (count < (ssize_t)sizeof begin || memcmp(begin, signature, sizeof begin) != 0)
        return akin_error_set(AKIN_INPUT, "%s: not an akin file: %s", file->path,
                              guess_format(begin));
    return AKIN_OK;
}

static akin_status read_dimensions(akin_ncfile *file) {
    int count = 0, unlimited = 0, code;
    if ((code = nc_inq_ndims(file->id, &count)) ||
        (code = nc_inq_unlimdims(file->id, &unlimited, NULL)))
        return akin_ncfile_trouble(file, code);
    if (unlimited)
        return akin_ncfile_refuse(file, "not an akin file: it has an unlimited dimension");
    for (int d = 0; d < count; d++) {
        char name[NC_MAX_NAME + 1] = "";
        size_t length = 0;
        if ((code = nc_inq_dim(file->id, d, name, &length))) return akin_ncfile_trouble(file, code);
        akin_status status = akin_nclayout_add_dimension(file->layout, name, length);
        if (status != AKIN_OK) return akin_error_context(status, "%s: ", file->path);
    }
    return AKIN_OK;
}

static size_t find_type(nc_type type) {
    for (size_t t = 0; t < AKIN_NC_TYPES; t++)
        if (akin_ncfile_types[t] == type) return t;
    return AKIN_NC_NONE;
}

/* Writes "item,row" for the ids; AKIN_INPUT if there are too many. */
static akin_status join_dims(const akin_ncfile *file, int count, const int *ids, akin_text *text) {
    akin_status status = AKIN_OK;
    for (int d = 0; d < count; d++) {
        if (ids[d] < 0 || (size_t)ids[d] >= akin_nclayout_dimension_count(file->layout))
            return akin_ncfile_refuse(file, "damaged: a variable without its dimension");
        const char *name = akin_nclayout_dimension_name(file->layout, (size_t)ids[d]);
        AKIN_TRY(akin_text_append(text, "%s%s", d ? "," : "", name));
    }
done:
    return status;
}

/* A variable cannot hold more than the file: code that allocates by its shape relies on this. */
static akin_status check_size(const akin_ncfile *file, int v) {
    size_t bytes = akin_nclayout_rows(file->layout, (size_t)v) *
                   akin_nclayout_row_bytes(file->layout, (size_t)v);
    int storage = NC_CONTIGUOUS, code = nc_inq_var_chunking(file->id, v, &storage, NULL);
    if (code) return akin_ncfile_trouble(file, code);
    if (bytes / (storage == NC_CHUNKED ? DEFLATE_RATIO_MAX : 1) > file->bytes)
        return akin_ncfile_refuse(file, "damaged: a variable is larger than the file");
    return AKIN_OK;
}

static akin_status read_variable(akin_ncfile *file, int v, akin_text *dims) {
    char name[NC_MAX_NAME + 1] = "";
    nc_type type = NC_NAT;
    int count = 0, ids[NC_MAX_VAR_DIMS], code;
    if ((code = nc_inq_varndims(file->id, v, &count))) return akin_ncfile_trouble(file, code);
    if (count > AKIN_NC_DIMS_MAX)
        return akin_ncfile_refuse(file, "not an akin file: a variable with too many dimensions");
    if ((code = nc_inq_var(file->id, v, name, &type, NULL, ids, NULL)))
        return akin_ncfile_trouble(file, code);
    if (find_type(type) == AKIN_NC_NONE)
        return akin_ncfile_refuse(file, "not an akin file: a variable of unknown type");
    akin_text_clear(dims);
    akin_status status = join_dims(file, count, ids, dims);
    if (status != AKIN_OK) return status;
    status = akin_nclayout_add_variable(file->layout, name, (akin_nc_type)find_type(type),
                                        akin_text_bytes(dims));
    if (status != AKIN_OK) return akin_error_context(status, "%s: ", file->path);
    return check_size(file, v);
}

static akin_status read_variables(akin_ncfile *file) {
    akin_status status = AKIN_OK;
    akin_text *dims = NULL;
    int count = 0;
    AKIN_TRY(akin_text_create(&dims));
    int code = nc_inq_nvars(file->id, &count);
    if (code) AKIN_TRY(akin_ncfile_trouble(file, code));
    for (int v = 0; v < count; v++) AKIN_TRY(read_variable(file, v, dims));
done:
    akin_text_free(dims);
    return status;
}

static akin_status read_attribute_names(akin_ncfile *file) {
    int count = 0, code = nc_inq_natts(file->id, &count);
    if (code) return akin_ncfile_trouble(file, code);
    file->names = akin_mem_zalloc((size_t)count, sizeof *file->names);
    if (!file->names) return AKIN_FAILED;
    for (int a = 0; a < count; a++)
        if ((code = nc_inq_attname(file->id, NC_GLOBAL, a, file->names[a])))
            return akin_ncfile_trouble(file, code);
    file->name_count = (size_t)count;
    return AKIN_OK;
}

/* Checks kind, format and digest; kind NULL = any. */
static akin_status check_kind(akin_ncfile *file, const char *kind) {
    akin_status status = AKIN_OK;
    char *digest = NULL;
    int format = 0;
    size_t length = 0;
    AKIN_TRY(akin_ncfile_get_attribute(file, "akin_kind", &file->kind));
    if (!file->kind)
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: NetCDF, but not an akin file", file->path));
    if (kind && strcmp(kind, file->kind) != 0)
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: this is a file of kind '%s', not '%s'", file->path,
                                file->kind, kind));
    if (nc_inq_attlen(file->id, NC_GLOBAL, "akin_format", &length) != NC_NOERR || length != 1 ||
        nc_get_att_int(file->id, NC_GLOBAL, "akin_format", &format) != NC_NOERR)
        AKIN_TRY(akin_ncfile_refuse(file, "damaged: it has no akin_format"));
    if (format != AKIN_NCFILE_FORMAT)
        AKIN_TRY(akin_error_set(AKIN_INPUT,
                                "%s: has format %d, but akin %s reads format %d; create it again",
                                file->path, format, AKIN_VERSION, AKIN_NCFILE_FORMAT));
    AKIN_TRY(akin_ncfile_get_attribute(file, AKIN_NCFILE_DIGEST, &digest));
    if (!digest || strlen(digest) != AKIN_HASH_TEXT_SIZE - 1)
        AKIN_TRY(akin_ncfile_refuse(file, "damaged: it has no content_digest"));
    memcpy(file->digest, digest, AKIN_HASH_TEXT_SIZE);
done:
    akin_mem_free(digest);
    return status;
}

/* Checks the file as plain bytes. */
static akin_status look_at(const char *path, akin_ncfile **out) {
    akin_ncfile *file = NULL;
    akin_status status = akin_ncfile_allocate(path, &file);
    if (status != AKIN_OK) return status;
    *out = file;
    status = check_signature(file);
    return status == AKIN_OK ? akin_seal_read(path, &file->sealed, &file->sealed_bytes, &file->seal)
                             : status;
}

static akin_status open_library_file(akin_ncfile *file, const char *kind) {
    akin_status status = AKIN_OK;
    int code = nc_open(file->path, NC_NOWRITE, &file->id);
    if (code) {
        file->id = -1;
        AKIN_TRY(akin_ncfile_trouble(file, code));
    }
    AKIN_TRY(check_kind(file, kind));
    AKIN_TRY(read_dimensions(file));
    AKIN_TRY(read_variables(file));
    AKIN_TRY(read_attribute_names(file));
done:
    return status;
}

akin_status akin_ncfile_peek(const char *path, const char *kind, akin_ncfile **out) {
    akin_status status;
    akin_ncfile *file = NULL;
    akin_seal_sum sum = {0};
    *out = NULL;
    AKIN_TRY(look_at(path, &file));
    if (file->sealed && file->sealed_bytes <= PEEK_BYTES_MAX) {
        AKIN_TRY(akin_seal_add(path, path, file->sealed_bytes, 1, 0, &sum));
        AKIN_TRY(akin_ncfile_check_seal(file, sum));
    }
    AKIN_TRY(open_library_file(file, kind));
    *out = file;
    return AKIN_OK;
done:
    akin_ncfile_close(file);
    return status;
}

akin_status akin_ncfile_open(akin_comm *comm, const char *path, const char *kind,
                             akin_ncfile **out) {
    akin_status status;
    akin_ncfile *file = NULL;
    *out = NULL;
    AKIN_TRY(akin_agree(comm, look_at(path, &file)));
    AKIN_TRY(akin_ncfile_verify_seal(comm, file));
    AKIN_TRY(akin_agree(comm, open_library_file(file, kind)));
    if (!file->sealed) AKIN_TRY(akin_ncfile_verify_digest(comm, file));
    *out = file;
    return AKIN_OK;
done:
    akin_ncfile_close(file);
    return status;
}

void akin_ncfile_close(akin_ncfile *file) {
    if (!file) return;
    if (file->id != -1) nc_close(file->id); /* read only: nothing can be lost */
    akin_ncfile_release(file);
}
