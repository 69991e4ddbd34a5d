/* ncfile: NetCDF-4 files, written in parallel and atomically. Reading is in ncfile_read.c. */
#include "ncfile_body.h"

#include <akin/cpu.h>
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netcdf_par.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEADER_BYTES (1u << 20)          /* more than all definitions need */
#define DEFAULT_ROUND_BYTES (512u << 20) /* MPI counts bytes in an int */

static size_t round_bytes = DEFAULT_ROUND_BYTES;

void akin_ncfile_round_bytes(size_t bytes) {
    round_bytes = bytes ? bytes : DEFAULT_ROUND_BYTES;
}

static void set_common_attributes(akin_ncfile *file) {
    char title[64];
    snprintf(title, sizeof title, "akin %s", file->kind);
    akin_ncfile_attribute(file, NULL, "Conventions", "CF-1.10, ACDD-1.3");
    akin_ncfile_attribute(file, NULL, "title", title);
    akin_ncfile_attribute(file, NULL, "summary", title);
    akin_ncfile_attribute(file, NULL, "keywords",
                          "product catalogue, similar items, recommendation");
    akin_ncfile_attribute(file, NULL, "source", "akin " AKIN_VERSION);
    akin_ncfile_attribute(file, NULL, "akin_version", AKIN_VERSION);
    akin_ncfile_attribute(file, NULL, AKIN_NCFILE_CPU, akin_cpu_name(akin_cpu_active()));
    akin_ncfile_attribute(file, NULL, "akin_kind", file->kind);
    akin_ncfile_attribute_number(file, NULL, "akin_format", AKIN_NCFILE_FORMAT);
    akin_ncfile_attribute(file, NULL, AKIN_NCFILE_DIGEST, "00000000000000000000000000000000");
}

akin_status akin_ncfile_tell_cpu(const akin_ncfile *file, const char *what) {
    char *cpu = NULL;
    const char *mine = akin_cpu_name(akin_cpu_active());
    akin_status status = akin_ncfile_get_attribute(file, AKIN_NCFILE_CPU, &cpu);
    if (status == AKIN_OK && cpu && strcmp(cpu, mine) != 0)
        akin_log_warning(
            "%s: %s was computed by the kernels for %s, this run uses those for %s; the "
            "last bits are not those of a run on one kind of CPU (--cpu %s)",
            file->path, what, cpu, mine, cpu);
    akin_mem_free(cpu);
    return status;
}

akin_status akin_ncfile_create(akin_comm *comm, const char *path, const char *kind,
                               akin_ncfile **out) {
    akin_ncfile *file = NULL;
    *out = NULL;
    akin_status status = akin_comm_rank(comm) == 0 ? akin_file_check_output(path) : AKIN_OK;
    if (status == AKIN_OK) status = akin_ncfile_allocate(path, &file);
    if (status == AKIN_OK) {
        file->comm = comm;
        file->kind = akin_mem_text(kind);
        if (file->kind)
            set_common_attributes(file);
        else
            status = AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(comm, status));
    *out = file;
    return AKIN_OK;
done:
    akin_ncfile_release(file);
    return status;
}

/* Keeps an error of this rank until begin; an invalid definition is a bug of ours. */
static void keep_defect(akin_ncfile *file, akin_status status) {
    AKIN_ASSERT(file->id == -1);
    if (status == AKIN_INPUT) akin_error_context(status, "%s: ", file->path);
    AKIN_ASSERT(status == AKIN_OK || status == AKIN_FAILED);
    if (file->defect == AKIN_OK) file->defect = status;
}

void akin_ncfile_dimension(akin_ncfile *file, const char *name, size_t length) {
    if (file->defect == AKIN_OK)
        keep_defect(file, akin_nclayout_add_dimension(file->layout, name, length));
}

void akin_ncfile_variable(akin_ncfile *file, const char *name, akin_nc_type type, const char *dims,
                          const char *long_name, const char *units) {
    if (file->defect == AKIN_OK)
        keep_defect(file, akin_nclayout_add_variable(file->layout, name, type, dims));
    akin_ncfile_attribute(file, name, "long_name", long_name);
    akin_ncfile_attribute(file, name, "units", units);
    if (type == AKIN_NC_CHAR) akin_ncfile_attribute(file, name, "_Encoding", "utf-8");
}

void akin_ncfile_define(akin_ncfile *file, const akin_ncfile_field *schema) {
    for (const akin_ncfile_field *f = schema; f->name; f++)
        akin_ncfile_variable(file, f->name, f->type, f->dims, f->long_name, f->units);
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The attribute of that name, created if necessary; NULL: out of memory. */
static akin_ncfile_attr *find_attribute(akin_ncfile *file, const char *variable, const char *name) {
    size_t count = file->attribute_count;
    for (size_t a = 0; a < count; a++)
        if (same_text(file->attributes[a].variable, variable) &&
            same_text(file->attributes[a].name, name))
            return &file->attributes[a];
    akin_ncfile_attr *grown = akin_mem_resize(file->attributes, count, count + 1, sizeof *grown);
    if (!grown) return NULL;
    file->attributes = grown;
    grown[count] = (akin_ncfile_attr){.name = akin_mem_text(name)};
    if (variable) grown[count].variable = akin_mem_text(variable);
    file->attribute_count++;
    return grown[count].name && (!variable || grown[count].variable) ? &grown[count] : NULL;
}

static void set_attribute(akin_ncfile *file, const char *variable, const char *name, nc_type type,
                          size_t count, size_t bytes, const void *values) {
    if (file->defect != AKIN_OK) return;
    AKIN_ASSERT(!variable || akin_nclayout_find_variable(file->layout, variable) != AKIN_NC_NONE);
    void *copy = akin_mem_alloc(bytes, 1);
    akin_ncfile_attr *kept = copy ? find_attribute(file, variable, name) : NULL;
    if (!kept) {
        akin_mem_free(copy);
        keep_defect(file, AKIN_FAILED);
        return;
    }
    memcpy(copy, values, bytes);
    akin_mem_free(kept->values);
    kept->type = type;
    kept->count = count;
    kept->values = copy;
}

void akin_ncfile_attribute(akin_ncfile *file, const char *variable, const char *name,
                           const char *text) {
    if (text) set_attribute(file, variable, name, NC_CHAR, strlen(text), strlen(text), text);
}

void akin_ncfile_attribute_number(akin_ncfile *file, const char *variable, const char *name,
                                  double value) {
    int whole = value >= INT_MIN && value <= INT_MAX ? (int)value : 0;
    if (value == (double)whole)
        set_attribute(file, variable, name, NC_INT, 1, sizeof whole, &whole);
    else
        set_attribute(file, variable, name, NC_DOUBLE, 1, sizeof value, &value);
}

void akin_ncfile_attribute_values(akin_ncfile *file, const char *variable, const char *name,
                                  size_t count, const void *values) {
    if (file->defect != AKIN_OK) return;
    size_t v = akin_nclayout_find_variable(file->layout, variable);
    AKIN_ASSERT(v != AKIN_NC_NONE);
    akin_nc_type type = akin_nclayout_variable_type(file->layout, v);
    set_attribute(file, variable, name, akin_ncfile_types[type], count,
                  count * akin_nc_type_size(type), values);
}

/* Inside a parallel call the other ranks cannot be notified: the message is printed and all
 * ranks are aborted. */
static void must(const akin_ncfile *file, const char *doing, int code) {
    if (code == NC_NOERR) return;
    akin_comm_abort(file->comm, AKIN_FAILED, "%s: %s failed: %s (is the disk full or unavailable?)",
                    file->path, doing, nc_strerror(code));
}

/* Collective calls with different definitions on other ranks would hang inside the library. */
static akin_status check_same_definitions(akin_ncfile *file) {
    char digest[AKIN_HASH_TEXT_SIZE];
    int64_t bounds[2] = {0, 0};
    akin_status status = akin_nclayout_digest(file->layout, file->kind, digest);
    if (status == AKIN_OK) {
        int64_t hash =
            (int64_t)(akin_hash_64(digest, sizeof digest) >> 2) ^ (int64_t)file->attribute_count;
        bounds[0] = hash;
        bounds[1] = -hash;
    }
    status = akin_agree(file->comm, status);
    if (status != AKIN_OK) return status;
    akin_comm_max_i64(file->comm, bounds, 2);
    AKIN_ASSERT(bounds[0] == -bounds[1]);
    return AKIN_OK;
}

static uint64_t estimate_bytes(const akin_nclayout *layout) {
    uint64_t bytes = HEADER_BYTES;
    for (size_t v = 0; v < akin_nclayout_variable_count(layout); v++)
        bytes += (uint64_t)akin_nclayout_rows(layout, v) * akin_nclayout_row_bytes(layout, v);
    /* The library stores a dimension without coordinates as a data set of floats. */
    for (size_t d = 0; d < akin_nclayout_dimension_count(layout); d++)
        bytes += 4 * (uint64_t)akin_nclayout_dimension_length(layout, d);
    return bytes;
}

/* Rank 0: removes leftovers, reserves the space, creates an empty part. */
static akin_status prepare_part(akin_ncfile *file) {
    if (unlink(file->part) != 0 && errno != ENOENT)
        return akin_file_cannot_write_part(file->part, file->path, errno);
    akin_status status = akin_file_check_space(file->path, estimate_bytes(file->layout));
    if (status != AKIN_OK) return status;
    int part = open(file->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (part < 0) return akin_file_cannot_write_part(file->part, file->path, errno);
    file->part_exists = true;
    close(part);
    return AKIN_OK;
}

/* Every rank: checks that the part that rank 0 created can be written here; a folder that
 * another machine does not share is found now, not in a call that hangs. A network folder may
 * show the file late. */
static akin_status see_part(const akin_ncfile *file) {
    for (int attempt = 0; attempt < 30; attempt++) {
        int part = open(file->part, O_RDWR | O_CLOEXEC);
        if (part >= 0) return close(part), AKIN_OK;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return akin_error_set(
        AKIN_FAILED,
        "%s: cannot be opened on this rank: %s; an output must be in a folder that all ranks share",
        file->path, strerror(errno));
}

static void define_variable(akin_ncfile *file, size_t v) {
    const akin_nclayout *layout = file->layout;
    const size_t *shape;
    int dims[AKIN_NC_DIMS_MAX], id;
    size_t count = akin_nclayout_variable_shape(layout, v, &shape);
    for (size_t d = 0; d < count; d++)
        dims[d] = (int)shape[d]; /* the library numbers them from 0, like we do */
    const char *name = akin_nclayout_variable_name(layout, v);
    must(file, "defining a variable",
         nc_def_var(file->id, name, akin_ncfile_types[akin_nclayout_variable_type(layout, v)],
                    (int)count, dims, &id));
    must(file, "defining a layout", nc_def_var_chunking(file->id, id, NC_CONTIGUOUS, NULL));
    must(file, "defining no fill", nc_def_var_fill(file->id, id, NC_NOFILL, NULL));
    file->variables[v] = id;
}

static void create_part(akin_ncfile *file) {
    const akin_nclayout *layout = file->layout;
    MPI_Comm world = *(const MPI_Comm *)akin_comm_handle(file->comm);
    bool alone = akin_comm_size(file->comm) == 1;
    int id, old;
    /* Alone, without MPI-IO: Open MPI's implementation creates auxiliary files that concurrent
     * programs take from each other, and complains on stderr. */
    must(file, "creating",
         alone ? nc_create(file->part, NC_NETCDF4 | NC_CLOBBER, &id)
               : nc_create_par(file->part, NC_NETCDF4 | NC_CLOBBER, world, MPI_INFO_NULL, &id));
    file->id = id;
    must(file, "defining no fill", nc_set_fill(id, NC_NOFILL, &old));
    for (size_t d = 0; d < akin_nclayout_dimension_count(layout); d++) {
        const char *name = akin_nclayout_dimension_name(layout, d);
        int dim;
        must(file, "defining a dimension",
             nc_def_dim(id, name, akin_nclayout_dimension_length(layout, d), &dim));
        AKIN_ASSERT(dim == (int)d);
    }
    for (size_t v = 0; v < akin_nclayout_variable_count(layout); v++) define_variable(file, v);
    for (size_t a = 0; a < file->attribute_count; a++) {
        const akin_ncfile_attr *it = &file->attributes[a];
        size_t v = it->variable ? akin_nclayout_find_variable(layout, it->variable) : 0;
        must(file, "writing attributes",
             nc_put_att(id, it->variable ? file->variables[v] : NC_GLOBAL, it->name, it->type,
                        it->count, it->values));
    }
    must(file, "ending definitions", nc_enddef(id));
    for (size_t v = 0; v < akin_nclayout_variable_count(layout) && !alone; v++) {
        /* A rank cannot take part in a collective write of a scalar without writing it. */
        bool scalar = *akin_nclayout_variable_dims(layout, v) == '\0';
        must(file, "choosing collective access",
             nc_var_par_access(id, file->variables[v], scalar ? NC_INDEPENDENT : NC_COLLECTIVE));
    }
    must(file, "writing definitions",
         nc_sync(id)); /* the file now has its final size, unless written by one rank */
}

/* Rank 0: reserves all the space that the part needs, so that no later write finds the disk
 * full. */
static akin_status reserve(const akin_ncfile *file) {
    struct stat found;
    int part = open(file->part, O_RDWR | O_CLOEXEC), code = 0;
    if (part < 0 || fstat(part, &found) != 0)
        code = errno;
    else
        code = posix_fallocate(part, 0, found.st_size);
    if (part >= 0) close(part);
    if (code == ENOSPC || code == EDQUOT || code == EFBIG || code == EIO)
        return akin_file_no_room(file->path, (uint64_t)found.st_size, code);
    return AKIN_OK; /* a disk that cannot reserve space was checked earlier */
}

/* The items' names as the coordinate that they are (CF-1.10, 5): a reader can select by them. */
static void name_coordinates(akin_ncfile *file) {
    const akin_nclayout *layout = file->layout;
    if (akin_nclayout_find_variable(layout, "id") == AKIN_NC_NONE) return;
    for (size_t v = 0; v < akin_nclayout_variable_count(layout); v++) {
        const char *name = akin_nclayout_variable_name(layout, v);
        const char *dims = akin_nclayout_variable_dims(layout, v);
        if (strncmp(dims, "item", 4) == 0 && (!dims[4] || dims[4] == ',') &&
            strcmp(name, "id") != 0)
            akin_ncfile_attribute(file, name, "coordinates", "id");
    }
}

akin_status akin_ncfile_begin(akin_ncfile *file) {
    akin_status status;
    bool first = akin_comm_rank(file->comm) == 0;
    size_t count = akin_nclayout_variable_count(file->layout);
    AKIN_ASSERT(file->id == -1);
    if (file->defect == AKIN_OK) name_coordinates(file); /* an incomplete layout has none */
    if (file->defect == AKIN_OK) {
        file->variables = akin_mem_alloc(count, sizeof *file->variables);
        if (!file->variables) file->defect = AKIN_FAILED;
    }
    AKIN_TRY(akin_agree(file->comm, file->defect));
    AKIN_TRY(check_same_definitions(file));
    AKIN_TRY(akin_agree(file->comm, first ? prepare_part(file) : AKIN_OK));
    AKIN_TRY(akin_agree(file->comm, see_part(file)));
    akin_comm_enter(file->comm, file->path);
    create_part(file);
    akin_comm_leave(file->comm);
    AKIN_TRY(akin_agree(file->comm, first ? reserve(file) : AKIN_OK));
done:
    return status;
}

void akin_ncfile_put(akin_ncfile *file, const char *variable, size_t first, size_t count,
                     const void *data) {
    size_t v = akin_nclayout_find_variable(file->layout, variable);
    AKIN_ASSERT(file->id != -1 && v != AKIN_NC_NONE);
    size_t rows = akin_nclayout_rows(file->layout, v),
           row_bytes = akin_nclayout_row_bytes(file->layout, v);
    AKIN_ASSERT(count <= rows && (count == 0 || first <= rows - count));
    akin_nclayout_hash_rows(file->layout, v, first, count, data);

    size_t step = round_bytes / row_bytes ? round_bytes / row_bytes : 1;
    const size_t rounds = akin_comm_rounds(file->comm, count, step);
    const size_t *shape;
    size_t dims = akin_nclayout_variable_shape(file->layout, v, &shape), done = 0;
    size_t start[AKIN_NC_DIMS_MAX] = {0}, length[AKIN_NC_DIMS_MAX] = {0};
    for (size_t d = 1; d < dims; d++)
        length[d] = akin_nclayout_dimension_length(file->layout, shape[d]);
    for (size_t round = 0; round < rounds; round++) {
        if (dims == 0 && count == 0) continue;
        size_t left = count - done;
        length[0] = left < step ? left : step;
        start[0] = length[0] ? first + done : 0;
        const char *from = length[0] ? (const char *)data + done * row_bytes : "";
        akin_comm_enter(file->comm,
                        file->path); /* one round at a time: each gets the whole stall limit */
        must(file, "writing", nc_put_vara(file->id, file->variables[v], start, length, from));
        akin_comm_leave(file->comm);
        done += length[0];
    }
}

/* Sums over ranks; every row must be there exactly once. */
static akin_status finish_digest(akin_ncfile *file) {
    size_t count;
    uint64_t *sums = akin_nclayout_sums(file->layout, &count);
    akin_comm_sum_i64(file->comm, (int64_t *)sums, count);
    for (size_t v = 0; v < akin_nclayout_variable_count(file->layout); v++)
        AKIN_ASSERT(sums[3 * v + 2] == akin_nclayout_rows(file->layout, v));
    return akin_agree(file->comm, akin_nclayout_digest(file->layout, file->kind, file->digest));
}

/* Appended after the last byte that the library wrote; the bytes are read back, each rank its
 * part. Collective; agreed. */
static akin_status seal(akin_ncfile *file) {
    akin_seal_sum sum = {0};
    int size = akin_comm_size(file->comm), rank = akin_comm_rank(file->comm);
    struct stat found = {0};
    int64_t bytes = 0;
    akin_status status = AKIN_OK;
    if (rank == 0 && stat(file->part, &found) != 0)
        status = akin_error_set(AKIN_FAILED, "%s: what was written of it has disappeared: %s",
                                file->path, strerror(errno));
    if (rank == 0) bytes = (int64_t)found.st_size;
    AKIN_TRY(akin_agree(file->comm, status));
    akin_comm_max_i64(file->comm, &bytes, 1);
    AKIN_TRY(akin_agree(file->comm,
                        akin_seal_add(file->part, file->path, (uint64_t)bytes, size, rank, &sum)));
    akin_comm_sum_i64(file->comm, (int64_t *)&sum.low, 1);
    akin_comm_sum_i64(file->comm, (int64_t *)&sum.high, 1);
    AKIN_TRY(akin_agree(file->comm,
                        rank == 0 ? akin_seal_write(file->part, file->path, (uint64_t)bytes, sum)
                                  : AKIN_OK));
done:
    return status;
}

akin_status akin_ncfile_commit(akin_ncfile *file, char digest_out[33]) {
    akin_status status;
    AKIN_ASSERT(file->id != -1);
    AKIN_TRY(finish_digest(file));
    akin_comm_enter(file->comm, file->path);
    /* The same length as before: no byte of the file moves. */
    must(file, "writing the digest",
         nc_put_att_text(file->id, NC_GLOBAL, AKIN_NCFILE_DIGEST, AKIN_HASH_TEXT_SIZE - 1,
                         file->digest));
    must(file, "syncing", nc_sync(file->id));
    must(file, "closing", nc_close(file->id));
    akin_comm_leave(file->comm);
    file->id = -1;
    bool first = akin_comm_rank(file->comm) == 0;
    AKIN_TRY(seal(file));
    AKIN_TRY(
        akin_agree(file->comm, first ? akin_file_sync_rename(file->part, file->path) : AKIN_OK));
    file->part_exists = false;
    if (digest_out) memcpy(digest_out, file->digest, sizeof file->digest);
done:
    akin_ncfile_discard(file);
    return status;
}

void akin_ncfile_discard(akin_ncfile *file) {
    if (!file) return;
    if (file->id != -1) {
        akin_comm_enter(file->comm, file->path);
        must(file, "closing", nc_close(file->id));
        akin_comm_leave(file->comm);
    }
    if (file->part_exists) unlink(file->part);
    akin_ncfile_release(file);
}
