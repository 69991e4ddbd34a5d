/* npy: reads NumPy's array files. */
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/npy.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC = 6, FIXED = 8, HEADER_MAX = 1 << 16, NAME_MAX_LENGTH = 64, CHUNK = 1 << 16 };
static const char magic[] = "\x93NUMPY";

struct akin_npy {
    char *path;
    int file;
    bool half;
    size_t rows, columns;
    uint64_t data; /* where the array starts */
};

/* --- bytes --- */

static akin_status read_at(int file, const char *path, uint64_t at, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t got = akin_fault_read()
                          ? -1
                          : pread(file, (char *)bytes + done, count - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return akin_error_set(AKIN_INPUT, "%s: truncated at byte %zu", path, (size_t)at + done);
        done += (size_t)got;
    }
    return AKIN_OK;
}

static akin_status open_file(const char *path, int *file, uint64_t *size) {
    struct stat facts;
    *file =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not block on a pipe without a writer */
    if (*file < 0) return akin_file_cannot_open(path, errno);
    if (fstat(*file, &facts) == 0 && S_ISREG(facts.st_mode)) {
        *size = (uint64_t)facts.st_size;
        return AKIN_OK;
    }
    close(*file);
    *file = -1;
    return akin_error_set(AKIN_FAILED, "%s: not a regular file", path);
}

akin_status akin_npy_recognise(const char *path, bool *out) {
    int file;
    uint64_t size;
    char start[MAGIC];
    *out = false;
    akin_status status = open_file(path, &file, &size);
    if (status != AKIN_OK) return status;
    if (size >= MAGIC) {
        status = read_at(file, path, 0, start, MAGIC);
        *out = status == AKIN_OK && memcmp(start, magic, MAGIC) == 0;
    }
    close(file);
    return status;
}

/* --- the header: a literal Python dictionary --- */

typedef struct {
    const char *at, *end;
} text_reader;

static void skip_blanks(text_reader *in) {
    while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL && *in->at != '\0') in->at++;
}

static bool take(text_reader *in, const char *word) {
    skip_blanks(in);
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return false;
    in->at += length;
    return true;
}

static bool take_string(text_reader *in, char out[NAME_MAX_LENGTH]) {
    skip_blanks(in);
    if (in->at == in->end || (*in->at != '\'' && *in->at != '"')) return false;
    char quote = *in->at++;
    size_t length = 0;
    for (; in->at < in->end && *in->at != quote; in->at++) {
        if (length + 1 == NAME_MAX_LENGTH || *in->at == '\\' || (unsigned char)*in->at < ' ')
            return false;
        out[length++] = *in->at;
    }
    out[length] = '\0';
    return in->at < in->end && *in->at++ == quote;
}

static bool take_number(text_reader *in, uint64_t *out) {
    skip_blanks(in);
    const char *start = in->at;
    for (*out = 0; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++) {
        if (*out > (UINT64_MAX - 9) / 10) return false;
        *out = *out * 10 + (uint64_t)(*in->at - '0');
    }
    if (in->at == start) return false;
    if (in->at < in->end && *in->at == 'L') in->at++; /* a long integer of Python 2 */
    return true;
}

/* (), (n,), (n, m) ...: the number of dimensions, and the first two. */
static bool take_shape(text_reader *in, size_t *dims, uint64_t lengths[2]) {
    *dims = 0;
    if (!take(in, "(")) return false;
    while (!take(in, ")")) {
        uint64_t length;
        if (!take_number(in, &length)) return false;
        if (*dims < 2) lengths[*dims] = length;
        ++*dims;
        if (take(in, ",")) continue;
        return *dims > 1 && take(in, ")"); /* (n) is not a tuple */
    }
    return true;
}

typedef struct {
    char descr[NAME_MAX_LENGTH];
    bool structured, fortran;
    size_t dims;
    uint64_t lengths[2];
    unsigned keys; /* which ones were found, one bit each */
} header;

enum { DESCR = 1, ORDER = 2, SHAPE = 4 };

static bool take_entry(text_reader *in, header *out) {
    char key[NAME_MAX_LENGTH];
    if (!take_string(in, key) || !take(in, ":")) return false;
    unsigned bit = strcmp(key, "descr") == 0           ? DESCR
                   : strcmp(key, "fortran_order") == 0 ? ORDER
                   : strcmp(key, "shape") == 0         ? SHAPE
                                                       : 0;
    if (bit == 0 || out->keys & bit) return false;
    out->keys |= bit;
    if (bit == SHAPE) return take_shape(in, &out->dims, out->lengths);
    if (bit == ORDER) return (out->fortran = take(in, "True")) || take(in, "False");
    skip_blanks(in);
    out->structured = in->at < in->end && *in->at == '[';
    return !out->structured && take_string(in, out->descr);
}

static bool take_header(text_reader *in, header *out) {
    memset(out, 0, sizeof *out);
    if (!take(in, "{")) return false;
    while (!take(in, "}")) {
        if (!take_entry(in, out)) return false;
        if (take(in, ",")) continue;
        if (!take(in, "}")) return false;
        break;
    }
    skip_blanks(in);
    return in->at == in->end && out->keys == (DESCR | ORDER | SHAPE);
}

/* --- what is accepted --- */

static akin_status check_header(akin_npy *npy, const header *found, uint64_t size) {
    const char *path = npy->path;
    npy->half = strcmp(found->descr, "<f2") == 0;
    if (!npy->half && strcmp(found->descr, "<f4") != 0)
        return akin_error_set(AKIN_INPUT,
                              "%s: contains numbers of type '%s'; akin takes float32 ('<f4') and "
                              "float16 ('<f2'): save a.astype(numpy.float32)",
                              path, found->descr);
    if (found->fortran)
        return akin_error_set(AKIN_INPUT,
                              "%s: is in Fortran order; save numpy.ascontiguousarray(a)", path);
    if (found->dims != 2)
        return akin_error_set(AKIN_INPUT,
                              "%s: has %zu dimension%s; akin takes 2, [items, features]", path,
                              found->dims, found->dims == 1 ? "" : "s");
    uint64_t rows = found->lengths[0], columns = found->lengths[1], width = npy->half ? 2 : 4,
             held = size - npy->data;
    if (rows == 0 || columns == 0)
        return akin_error_set(AKIN_INPUT, "%s: is an empty array, %zu x %zu", path, (size_t)rows,
                              (size_t)columns);
    if (rows > UINT64_MAX / width / columns || rows * columns * width > held)
        return akin_error_set(
            AKIN_INPUT, "%s: truncated: its header says %zu x %zu '%s', but only %zu bytes follow",
            path, (size_t)rows, (size_t)columns, found->descr, (size_t)held);
    if (rows * columns * width < held)
        return akin_error_set(
            AKIN_INPUT,
            "%s: has %zu bytes after its array; is it damaged, or are there several arrays?", path,
            (size_t)(held - rows * columns * width));
    npy->rows = (size_t)rows, npy->columns = (size_t)columns;
    return AKIN_OK;
}

static akin_status read_header(akin_npy *npy, uint64_t size) {
    unsigned char start[FIXED + 4] = {0};
    if (size < FIXED + 2)
        return akin_error_set(AKIN_INPUT, "%s: truncated: %zu bytes", npy->path, (size_t)size);
    akin_status status =
        read_at(npy->file, npy->path, 0, start, size < sizeof start ? (size_t)size : sizeof start);
    if (status != AKIN_OK) return status;
    if (memcmp(start, magic, MAGIC) != 0)
        return akin_error_set(AKIN_INPUT, "%s: not a .npy file", npy->path);
    unsigned major = start[MAGIC], minor = start[MAGIC + 1];
    if (major < 1 || major > 3 || minor != 0)
        return akin_error_set(AKIN_INPUT,
                              "%s: is version %u.%u of .npy; akin reads 1.0, 2.0 and 3.0",
                              npy->path, major, minor);
    uint64_t length = (uint64_t)start[FIXED] | (uint64_t)start[FIXED + 1] << 8, begin = FIXED + 2;
    if (major > 1) {
        length |= (uint64_t)start[FIXED + 2] << 16 | (uint64_t)start[FIXED + 3] << 24;
        begin += 2;
    }
    if (length > HEADER_MAX || begin + length > size)
        return akin_error_set(AKIN_INPUT, "%s: damaged: a header of %zu bytes in a file of %zu",
                              npy->path, (size_t)length, (size_t)size);
    char *text = akin_mem_alloc((size_t)length, 1);
    if (!text) return AKIN_FAILED;
    status = read_at(npy->file, npy->path, begin, text, (size_t)length);
    header found;
    text_reader in = {text, text + length};
    if (status == AKIN_OK && !take_header(&in, &found))
        status = akin_error_set(
            AKIN_INPUT,
            found.structured
                ? "%s: contains an array of structures; akin takes float32 and float16"
                : "%s: its header is not a dictionary of descr, fortran_order and shape",
            npy->path);
    akin_mem_free(text);
    npy->data = begin + length;
    return status == AKIN_OK ? check_header(npy, &found, size) : status;
}

akin_status akin_npy_open(const char *path, akin_npy **out) {
    akin_status status = AKIN_FAILED;
    uint64_t size;
    *out = NULL;
    akin_npy *npy = akin_mem_zalloc(1, sizeof *npy);
    if (!npy) return AKIN_FAILED;
    npy->file = -1;
    if ((npy->path = akin_mem_text(path)) == NULL) goto done;
    AKIN_TRY(open_file(path, &npy->file, &size));
    AKIN_TRY(read_header(npy, size));
    *out = npy, npy = NULL;
done:
    akin_npy_close(npy);
    return status;
}

void akin_npy_close(akin_npy *npy) {
    if (!npy) return;
    if (npy->file >= 0) close(npy->file);
    akin_mem_free(npy->path);
    akin_mem_free(npy);
}

size_t akin_npy_rows(const akin_npy *npy) {
    return npy->rows;
}

size_t akin_npy_columns(const akin_npy *npy) {
    return npy->columns;
}

float akin_npy_half(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits >> 15) << 31, exponent = bits >> 10 & 31,
             fraction = bits & 1023;
    float value;
    if (exponent == 0) { /* zero or subnormal: fraction x 2^-24 */
        value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    uint32_t wide = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    memcpy(&value, &wide, sizeof value);
    return value;
}

akin_status akin_npy_read(const akin_npy *npy, size_t first, size_t count, float *rows) {
    size_t total = count * npy->columns, width = npy->half ? 2 : 4;
    uint64_t at = npy->data + (uint64_t)first * npy->columns * width;
    if (!npy->half) return read_at(npy->file, npy->path, at, rows, total * width);
    uint16_t halves[CHUNK / 2];
    for (size_t done = 0; done < total;) {
        size_t part = total - done < CHUNK / 2 ? total - done : CHUNK / 2;
        akin_status status = read_at(npy->file, npy->path, at + done * width, halves, part * width);
        if (status != AKIN_OK) return status;
        for (size_t i = 0; i < part; i++) rows[done + i] = akin_npy_half(halves[i]);
        done += part;
    }
    return AKIN_OK;
}
