/* source_gzip: gzip by zlib. libarchive reads it too, but does not verify checksums. */
#include "source_gzip.h"
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { PIECE = 1 << 16, GZIP_ALONE = 16 + MAX_WBITS /* zlib's name for it */ };

struct akin_source_gzip {
    const char *path; /* borrowed */
    FILE *stream;
    z_stream state;
    bool started;       /* state must be ended */
    bool inside, ended; /* inside: a member; ended: the file has been read */
    uint64_t offset;    /* position in the file of the end of `in` */
    uint8_t in[PIECE], out[PIECE];
};

/* Reads on when all input has been used. */
static akin_status refill(akin_source_gzip *gzip) {
    bool fault = akin_fault_read();
    size_t got = fault ? 0 : fread(gzip->in, 1, PIECE, gzip->stream);
    if (fault || ferror(gzip->stream))
        return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", gzip->path, strerror(errno));
    gzip->ended = got == 0;
    gzip->offset += got;
    gzip->state.next_in = gzip->in;
    gzip->state.avail_in = (unsigned)got;
    return AKIN_OK;
}

akin_status akin_source_gzip_open(const char *path, akin_source_gzip **out) {
    static const uint8_t magic[2] = {0x1F, 0x8B};
    akin_status status = AKIN_OK;
    akin_source_gzip *gzip = akin_mem_zalloc(1, sizeof *gzip);
    *out = NULL;
    if (!gzip) return AKIN_FAILED;
    gzip->path = path;
    gzip->stream = fopen(path, "rb");
    gzip->state.next_in = gzip->in;
    if (!gzip->stream) {
        status = akin_file_cannot_open(path, errno);
        goto done;
    }
    AKIN_TRY(refill(gzip));
    if (gzip->state.avail_in < sizeof magic || memcmp(gzip->in, magic, sizeof magic) != 0)
        goto done;
    gzip->started = inflateInit2(&gzip->state, GZIP_ALONE) == Z_OK;
    if (!gzip->started) {
        status = akin_error_set(AKIN_FAILED, "%s: not enough memory to read it", path);
        goto done;
    }
    gzip->inside = true;
    *out = gzip;
    gzip = NULL;
done:
    akin_source_gzip_close(gzip);
    return status;
}

void akin_source_gzip_close(akin_source_gzip *gzip) {
    if (!gzip) return;
    if (gzip->started) inflateEnd(&gzip->state);
    if (gzip->stream) fclose(gzip->stream);
    akin_mem_free(gzip);
}

static uint64_t position(const akin_source_gzip *gzip) {
    return gzip->offset - gzip->state.avail_in;
}

/* After a member: another one, or nothing. Some programs fill the last block with zeros. */
static akin_status begin_member(akin_source_gzip *gzip) {
    while (gzip->state.avail_in > 0 && *gzip->state.next_in == 0) {
        gzip->state.next_in++;
        gzip->state.avail_in--;
    }
    if (gzip->state.avail_in == 0) return AKIN_OK;
    if (*gzip->state.next_in != 0x1F)
        return akin_error_set(AKIN_INPUT,
                              "%s: after the end of its gzip data, at byte %" PRIu64
                              ", there is other data: two files in one, or a damaged one",
                              gzip->path, position(gzip));
    gzip->inside = inflateReset(&gzip->state) == Z_OK;
    return AKIN_OK;
}

static akin_status refuse(const akin_source_gzip *gzip, int code) {
    if (code == Z_MEM_ERROR)
        return akin_error_set(AKIN_FAILED, "%s: not enough memory to read it", gzip->path);
    return akin_error_set(AKIN_INPUT, "%s: its gzip data is damaged before byte %" PRIu64 ": %s",
                          gzip->path, position(gzip),
                          gzip->state.msg ? gzip->state.msg : "broken data");
}

akin_status akin_source_gzip_read(akin_source_gzip *gzip, const void **bytes, size_t *count) {
    akin_status status = AKIN_OK;
    *bytes = gzip->out;
    *count = 0;
    while (*count == 0) {
        if (gzip->state.avail_in == 0 && !gzip->ended) AKIN_TRY(refill(gzip));
        if (gzip->state.avail_in == 0) {
            if (gzip->inside)
                status =
                    akin_error_set(AKIN_INPUT, "%s: its gzip data is truncated at byte %" PRIu64,
                                   gzip->path, gzip->offset);
            break;
        }
        if (!gzip->inside) {
            AKIN_TRY(begin_member(gzip));
            continue;
        }
        gzip->state.next_out = gzip->out;
        gzip->state.avail_out = PIECE;
        int code = inflate(&gzip->state, Z_NO_FLUSH);
        *count = PIECE - gzip->state.avail_out;
        if (code == Z_STREAM_END) gzip->inside = false;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            status = refuse(gzip, code);
            break;
        }
    }
done:
    return status;
}
