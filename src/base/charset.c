/* charset: decodes text with iconv. */
#include <akin/charset.h>
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 16384, WIDEST = 4 /* maximum bytes of UTF-8 for the smallest input unit */ };

struct akin_charset {
    const char *path; /* borrowed */
    FILE *stream;
    iconv_t conversion; /* (iconv_t)-1: none, the file is UTF-8 */
    size_t unit;        /* bytes to skip where the input is invalid */
    unsigned char piece[PIECE];
    size_t begin, end; /* the part of the piece not converted yet */
    bool ended;
};

/* Names of encodings, and iconv's; the first name is ours. */
static const struct {
    const char *name, *iconv_name; /* NULL: UTF-8, nothing to convert */
    size_t unit;
} known[] = {
    {"utf-8", NULL, 1},
    {"utf8", NULL, 1},
    {"utf-16", "UTF-16LE", 2},
    {"utf16", "UTF-16LE", 2},
    {"utf-16le", "UTF-16LE", 2},
    {"utf-16be", "UTF-16BE", 2},
    {"windows-1252", "CP1252", 1},
    {"cp1252", "CP1252", 1},
    /* as in browsers, Latin-1 is read as Windows-1252 */
    {"latin-1", "CP1252", 1},
    {"latin1", "CP1252", 1},
    {"iso-8859-1", "CP1252", 1},
};

static const struct {
    const char *bytes;
    size_t count;
    const char *name;
} marks[] = {
    {"\xEF\xBB\xBF", 3, "utf-8"}, {"\xFF\xFE", 2, "utf-16le"}, {"\xFE\xFF", 2, "utf-16be"}};

static size_t find_known(const char *name) {
    size_t i = 0;
    while (i < sizeof known / sizeof *known && strcasecmp(known[i].name, name) != 0) i++;
    return i;
}

bool akin_charset_is_known(const char *name) {
    return find_known(name) < sizeof known / sizeof *known;
}

/* Moves what is left to the front and fills up. */
static akin_status refill(akin_charset *file) {
    file->end -= file->begin;
    memmove(file->piece, file->piece + file->begin, file->end);
    file->begin = 0;
    bool fault = akin_fault_read();
    size_t got = fault ? 0 : fread(file->piece + file->end, 1, PIECE - file->end, file->stream);
    if (fault || ferror(file->stream))
        return akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", file->path, strerror(errno));
    file->ended = got == 0;
    file->end += got;
    return AKIN_OK;
}

/* A byte order mark overrides the declared encoding. */
static akin_status choose(akin_charset *file, const char *name) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (file->end >= marks[i].count &&
            memcmp(file->piece, marks[i].bytes, marks[i].count) == 0) {
            file->begin = marks[i].count;
            name = marks[i].name;
            break;
        }
    size_t i = find_known(name ? name : "utf-8");
    AKIN_ASSERT(i < sizeof known / sizeof *known);
    file->unit = known[i].unit;
    if (!known[i].iconv_name) return AKIN_OK;
    file->conversion = iconv_open("UTF-8", known[i].iconv_name);
    if (file->conversion != (iconv_t)-1) return AKIN_OK;
    return akin_error_set(AKIN_FAILED, "%s: this machine cannot convert from %s: %s", file->path,
                          known[i].iconv_name, strerror(errno));
}

akin_status akin_charset_open(const char *path, const char *name, akin_charset **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_charset *file = akin_mem_zalloc(1, sizeof *file);
    if (!file) return AKIN_FAILED;
    file->path = path;
    file->conversion = (iconv_t)-1;
    file->stream = fopen(path, "rb");
    if (!file->stream) {
        status = akin_file_cannot_open(path, errno);
        goto done;
    }
    AKIN_TRY(refill(file));
    AKIN_TRY(choose(file, name));
    *out = file;
    file = NULL;
done:
    akin_charset_close(file);
    return status;
}

void akin_charset_close(akin_charset *file) {
    if (!file) return;
    if (file->conversion != (iconv_t)-1) iconv_close(file->conversion);
    if (file->stream) fclose(file->stream);
    akin_mem_free(file);
}

static void pass_on(akin_charset *file, unsigned char *bytes, size_t room, size_t *count) {
    size_t left = file->end - file->begin, take = left < room ? left : room;
    memcpy(bytes, file->piece + file->begin, take);
    file->begin += take;
    *count = take;
}

/* Converts as much of the piece as there is room for. *stuck: the rest is an incomplete
 * character. */
static void convert(akin_charset *file, unsigned char *bytes, size_t room, size_t *count,
                    bool *stuck) {
    *stuck = false;
    while (file->begin < file->end && room - *count >= WIDEST) {
        char *in = (char *)file->piece + file->begin, *out = (char *)bytes + *count;
        size_t in_left = file->end - file->begin, out_left = room - *count;
        size_t result = iconv(file->conversion, &in, &in_left, &out, &out_left);
        int error = result == (size_t)-1 ? errno : 0;
        file->begin = file->end - in_left;
        *count = room - out_left;
        if (error == E2BIG) return;
        *stuck = error == EINVAL && !file->ended;
        if (*stuck) return;
        if (error) { /* it is invalid, or the file ends within a character */
            size_t skip = in_left < file->unit ? in_left : file->unit;
            file->begin += skip;
            bytes[(*count)++] = 0xFF;
        }
    }
}

akin_status akin_charset_read(akin_charset *file, unsigned char *bytes, size_t room,
                              size_t *count) {
    akin_status status = AKIN_OK;
    bool stuck = false;
    *count = 0;
    while (*count == 0) {
        if (file->begin == file->end || stuck) {
            AKIN_TRY(refill(file));
            if (file->begin == file->end) break;
        }
        if (file->conversion == (iconv_t)-1)
            pass_on(file, bytes, room, count);
        else
            convert(file, bytes, room, count, &stuck);
    }
done:
    return status;
}
