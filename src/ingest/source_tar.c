/* source_tar: archives by libarchive. */
#include "source_tar.h"
#include "source_gzip.h"
#include <akin/fault.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16, LINKS_IN_A_ROW = 16, WARNINGS_SHOWN = 10 };

struct akin_source_tar {
    struct archive *archive;
    const char *path;       /* borrowed */
    akin_source_gzip *gzip; /* the decompressor; NULL = not gzip */
    akin_status failure;    /* its error; libarchive, which is in between, loses the message */
    char message[512];
    uint64_t member;  /* the last entry read, from 1 */
    size_t warnings;  /* warnings about members that were accepted nevertheless */
    bool lists;       /* report the warnings */
    bool ended, read; /* read: its bytes are in `kept` */
    akin_source_bytes kept;
    locale_t names; /* libarchive converts names to the locale's encoding, which must be UTF-8 */
};

/* Only filters that are part of libarchive: others would start programs from PATH. libarchive
 * reports which are when they are enabled on an archive that is not read. */
static bool support_filters(struct archive *archive) {
    static int (*const filters[])(struct archive *) = {
        archive_read_support_filter_bzip2, archive_read_support_filter_compress,
        archive_read_support_filter_lzip,  archive_read_support_filter_lzma,
        archive_read_support_filter_xz,    archive_read_support_filter_zstd,
        archive_read_support_filter_lz4,
    };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct archive *scratch = archive_read_new();
        if (!scratch) return false;
        bool inside = filters[i](scratch) == ARCHIVE_OK;
        archive_read_free(scratch);
        if (inside && filters[i](archive) != ARCHIVE_OK) return false;
    }
    return true;
}

static la_ssize_t on_read(struct archive *archive, void *context, const void **bytes) {
    akin_source_tar *tar = context;
    size_t count = 0;
    tar->failure = akin_source_gzip_read(tar->gzip, bytes, &count);
    if (tar->failure == AKIN_OK) return (la_ssize_t)count;
    snprintf(tar->message, sizeof tar->message, "%s", akin_error_message());
    archive_set_error(archive, EINVAL, "%s", tar->message);
    return -1;
}

/* libarchive inspects the beginning at once: *opened is false if it recognises nothing. */
static akin_status try_open(const char *path, akin_source_tar **out, bool *opened) {
    akin_status status = AKIN_OK;
    akin_source_tar *tar = akin_mem_zalloc(1, sizeof *tar);
    *out = NULL;
    *opened = false;
    if (!tar) return AKIN_FAILED;
    tar->path = path;
    tar->archive = archive_read_new();
    if (!tar->archive || !support_filters(tar->archive)) {
        status = akin_error_set(AKIN_FAILED, "%s: not enough memory to read it", path);
        goto done;
    }
    archive_read_support_format_tar(tar->archive);
    /* What follows the end of an archive is read as another one, so that nothing is lost. */
    archive_read_set_options(tar->archive, "tar:read_concatenated_archives");
    tar->names = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    AKIN_TRY(akin_source_gzip_open(path, &tar->gzip));
    int result = tar->gzip ? archive_read_open(tar->archive, tar, NULL, on_read, NULL)
                           : archive_read_open_filename(tar->archive, path, BLOCK);
    *opened = result == ARCHIVE_OK;
    *out = tar;
    tar = NULL;
done:
    akin_source_tar_close(tar);
    return status;
}

akin_status akin_source_tar_open(const char *path, akin_source_tar **out) {
    bool opened = false;
    akin_status status = try_open(path, out, &opened);
    if (status != AKIN_OK || opened) return status;
    status = (*out)->failure != AKIN_OK
                 ? akin_error_set((*out)->failure, "%s", (*out)->message)
                 : akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path,
                                  archive_error_string((*out)->archive));
    akin_source_tar_close(*out);
    *out = NULL;
    return status;
}

void akin_source_tar_close(akin_source_tar *tar) {
    if (!tar) return;
    archive_read_free(tar->archive);
    akin_source_gzip_close(tar->gzip);
    if (tar->names) freelocale(tar->names);
    akin_source_bytes_free(&tar->kept);
    akin_mem_free(tar);
}

/* An injected read error, in libarchive's form. */
static bool fault(akin_source_tar *tar) {
    if (!akin_fault_read()) return false;
    archive_set_error(tar->archive, errno, "%s", strerror(errno));
    return true;
}

static bool is_of_the_disk(akin_source_tar *tar) {
    static const int codes[] = {EIO, ENOMEM, ESTALE, ETIMEDOUT, ENXIO, EACCES};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (archive_errno(tar->archive) == codes[i]) return true;
    return false;
}

/* Damage is an input error; a disk that cannot be read is not. */
static akin_status trouble(akin_source_tar *tar) {
    if (tar->failure != AKIN_OK) return akin_error_set(tar->failure, "%s", tar->message);
    bool disk = is_of_the_disk(tar);
    tar->ended = true;
    return akin_error_set(disk ? AKIN_FAILED : AKIN_INPUT,
                          "%s: the archive %s after member %llu: %s", tar->path,
                          disk ? "cannot be read" : "is damaged or truncated",
                          (unsigned long long)tar->member, archive_error_string(tar->archive));
}

/* Number of bytes after everything that was read as the archive. */
static akin_status check_end(akin_source_tar *tar) {
    uint64_t size;
    int64_t changed;
    if (tar->gzip) { /* its checksums are verified at its end, which libarchive may not have
                      * reached */
        const void *bytes;
        for (size_t count = 1; count > 0;) {
            akin_status status = akin_source_gzip_read(tar->gzip, &bytes, &count);
            if (status != AKIN_OK) return status;
        }
        return AKIN_OK;
    }
    int64_t used = archive_filter_bytes(tar->archive, -1);
    if (!akin_source_file_stat("", tar->path, &size, &changed) || used < 0 ||
        (uint64_t)used >= size)
        return AKIN_OK;
    return akin_error_set(AKIN_INPUT,
                          "%s: after the end of the archive, at byte %lld, there are %llu other "
                          "bytes: two files in one, or a damaged one",
                          tar->path, (long long)used, (unsigned long long)(size - (uint64_t)used));
}

/* The next entry; *entry = NULL at the end. *fault: why it is incomplete, or NULL. */
static akin_status next_entry(akin_source_tar *tar, struct archive_entry **entry,
                              const char **fault_of) {
    locale_t before = tar->names ? uselocale(tar->names) : (locale_t)0;
    int result = fault(tar) ? ARCHIVE_FATAL : archive_read_next_header(tar->archive, entry);
    if (before) uselocale(before);
    tar->read = false;
    tar->kept.count = 0;
    *fault_of = NULL;
    if (result == ARCHIVE_EOF) {
        *entry = NULL;
        tar->ended = true;
        return AKIN_OK;
    }
    /* RETRY means an invalid header, after which libarchive would search for the next one. */
    if (result == ARCHIVE_FATAL || result == ARCHIVE_RETRY) return trouble(tar);
    tar->member++;
    if (result == ARCHIVE_FAILED) *fault_of = archive_error_string(tar->archive);
    if (result == ARCHIVE_WARN && tar->lists && ++tar->warnings <= WARNINGS_SHOWN)
        akin_log_warning_once("%s: member %llu: %s", tar->path, (unsigned long long)tar->member,
                              archive_error_string(tar->archive));
    return AKIN_OK;
}

static akin_status read_data(akin_source_tar *tar) {
    for (;;) {
        if (tar->kept.count > AKIN_SOURCE_FILE_LIMIT)
            return akin_error_set(AKIN_INPUT, "is larger than a picture may be");
        akin_status status = akin_source_bytes_reserve(&tar->kept, tar->kept.count + BLOCK);
        if (status != AKIN_OK) return status;
        la_ssize_t got = fault(tar)
                             ? ARCHIVE_FATAL
                             : archive_read_data(tar->archive, tar->kept.bytes + tar->kept.count,
                                                 tar->kept.room - tar->kept.count);
        if (got == 0) return AKIN_OK;
        if (got < 0 && (tar->failure != AKIN_OK || is_of_the_disk(tar))) return trouble(tar);
        if (got < 0)
            return akin_error_set(AKIN_INPUT, "damaged archive: %s",
                                  archive_error_string(tar->archive));
        tar->kept.count += (size_t)got;
    }
}

akin_status akin_source_tar_read(akin_source_tar *tar, uint64_t member, akin_source_bytes *out) {
    akin_status status = AKIN_OK;
    out->count = 0;
    while (tar->member < member && !tar->ended) {
        struct archive_entry *entry;
        const char *fault_of;
        AKIN_TRY(next_entry(tar, &entry, &fault_of));
    }
    if (tar->member != member || tar->ended)
        return akin_error_set(AKIN_INPUT, "is no longer in the archive");
    if (!tar->read) AKIN_TRY(read_data(tar));
    tar->read = true;
    AKIN_TRY(akin_source_bytes_reserve(out, tar->kept.count + 1));
    memcpy(out->bytes, tar->kept.bytes, tar->kept.count);
    out->count = tar->kept.count;
done:
    return status;
}

/* --- the list --- */

/* A member that is a file, or a link to one. */
typedef struct {
    char *name, *target; /* target of a link, as a name in the archive; NULL = a file */
    bool hard;
    uint64_t member;
    size_t row;
} node;

typedef struct {
    akin_source_list *rows;
    const char *path;
    node *nodes;
    size_t count, room;
} list;

/* The name without "." and empty parts, owned; *out = NULL if it is absolute or contains "..".
 * With `from`, the name of a link, it is relative to that link's folder, and ".." goes up from
 * there. */
static akin_status tidy_name(const char *name, const char *from, char **out) {
    const char *slash = from ? strrchr(from, '/') : NULL;
    size_t head = slash ? (size_t)(slash - from) : 0, length = 0;
    char *tidy = akin_mem_alloc(head + strlen(name) + 2, 1);
    *out = NULL;
    if (!tidy) return AKIN_FAILED;
    if (head > 0) memcpy(tidy, from, length = head);
    bool leaves = *name == '/';
    for (const char *part = name; *part && !leaves;) {
        size_t size = strcspn(part, "/");
        if (size == 2 && memcmp(part, "..", 2) == 0) {
            leaves = !from || length == 0;
            while (length > 0 && tidy[--length] != '/') continue;
        } else if (size > 0 && !(size == 1 && *part == '.')) {
            if (length > 0) tidy[length++] = '/';
            memcpy(tidy + length, part, size);
            length += size;
        }
        part += size + strspn(part + size, "/");
    }
    tidy[length] = '\0';
    if (leaves || length == 0) {
        akin_mem_free(tidy);
    } else {
        *out = tidy;
    }
    return AKIN_OK;
}

static akin_status add_row(list *l, const char *name, uint64_t member, const char *reason) {
    const char *slash = strrchr(name, '/');
    akin_source_found found = {.id = {name, strlen(name)},
                               .path = {name, strlen(name)},
                               .category = {name, slash && !reason ? (size_t)(slash - name) : 0},
                               .base = l->path,
                               .member = member,
                               .available = true,
                               .reason = reason};
    return akin_source_list_add(l->rows, &found);
}

static akin_status add_node(list *l, const node *n) {
    if (l->count == l->room) {
        node *grown = akin_mem_resize(l->nodes, l->count, l->room * 2 + 64, sizeof *grown);
        if (!grown) return AKIN_FAILED;
        l->nodes = grown;
        l->room = l->room * 2 + 64;
    }
    l->nodes[l->count++] = *n;
    return AKIN_OK;
}

/* The name in the header: UTF-8 if libarchive can convert it, otherwise the raw bytes. */
static const char *entry_name(struct archive_entry *entry) {
    const char *name = archive_entry_pathname_utf8(entry);
    if (!name) name = archive_entry_pathname(entry);
    return name ? name : "";
}

static const char *link_target(struct archive_entry *entry, bool hard) {
    const char *target =
        hard ? archive_entry_hardlink_utf8(entry) : archive_entry_symlink_utf8(entry);
    if (!target) target = hard ? archive_entry_hardlink(entry) : archive_entry_symlink(entry);
    return target ? target : "";
}

static akin_status add_member(list *l, struct archive_entry *entry, uint64_t member,
                              const char *fault_of) {
    akin_status status;
    node n = {.member = member, .row = akin_source_list_count(l->rows)};
    bool hard = archive_entry_hardlink_utf8(entry) || archive_entry_hardlink(entry);
    n.hard = hard;
    bool soft = !hard && archive_entry_filetype(entry) == AE_IFLNK;
    const char *reason = NULL;
    if (!hard && archive_entry_filetype(entry) == AE_IFDIR) return AKIN_OK;
    AKIN_TRY(tidy_name(entry_name(entry), NULL, &n.name));
    if (!n.name) {
        const char *name = entry_name(entry);
        reason = *name ? "its name leads outside the archive" : "it has no name";
        AKIN_TRY(add_row(l, name, member, reason));
        return AKIN_OK;
    }
    if (fault_of) {
        reason = fault_of;
    } else if (hard || soft) {
        AKIN_TRY(tidy_name(link_target(entry, hard), hard ? NULL : n.name, &n.target));
        if (!n.target) reason = "is a link that leads outside the archive";
    } else if (archive_entry_filetype(entry) != AE_IFREG) {
        reason = "is a pipe or device, not a file";
    }
    AKIN_TRY(add_row(l, n.name, member, reason));
    if (reason) goto done;
    AKIN_TRY(add_node(l, &n));
    return AKIN_OK;
done:
    akin_mem_free(n.name);
    akin_mem_free(n.target);
    return status;
}

static int compare_nodes(const void *a, const void *b) {
    const node *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order != 0) return order;
    return x->member < y->member ? -1 : x->member > y->member;
}

/* The target of a link: a hard link refers to the preceding member of that name, a symbolic one
 * to the first, which has the id. */
static const node *find_node(const list *l, const node *link) {
    size_t low = 0, high = l->count;
    const node *found = NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(l->nodes[middle].name, link->target) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < l->count && strcmp(l->nodes[low].name, link->target) == 0; low++) {
        const node *n = &l->nodes[low];
        if (n->member == link->member || (link->hard && n->member > link->member)) continue;
        found = n;
        if (!link->hard) break;
    }
    return found;
}

static akin_status follow_links(list *l) {
    akin_status status = AKIN_OK;
    if (l->count > 0) qsort(l->nodes, l->count, sizeof *l->nodes, compare_nodes);
    for (size_t i = 0; i < l->count && status == AKIN_OK; i++) {
        const node *n = &l->nodes[i];
        if (!n->target) continue;
        const node *to = n;
        for (int hops = 0; to && to->target && hops < LINKS_IN_A_ROW; hops++) to = find_node(l, to);
        if (to && !to->target) {
            akin_source_list_set_member(l->rows, n->row, to->member);
        } else {
            status = akin_source_list_refuse(l->rows, n->row,
                                             "is a link whose target is not a file in the archive");
        }
    }
    return status;
}

/* Compressions, by how a file begins. */
static const struct {
    const char *magic, *name;
    bool inside; /* read here; the others by programs that libarchive would start */
} compressions[] = {
    {"\x28\xB5\x2F\xFD", "zstd", true}, {"\xFD\x37zXZ", "xz", true}, {"LRZI", "lrzip", false},
    {"\x89LZO", "lzop", false},         {"GRZipII", "grzip", false},
};

/* The compression that a file seems to have; SIZE_MAX = none. libarchive does not report it if the
 * compressed data ends in an error at once. */
static size_t find_compression(const char *path) {
    char head[8] = "";
    FILE *stream = fopen(path, "rb");
    size_t count = stream ? fread(head, 1, sizeof head, stream) : 0, i = 0;
    const size_t all = sizeof compressions / sizeof *compressions;
    if (stream) fclose(stream);
    while (i < all && (count < strlen(compressions[i].magic) ||
                       memcmp(head, compressions[i].magic, strlen(compressions[i].magic)) != 0))
        i++;
    return i < all ? i : SIZE_MAX;
}

/* A file that is not an archive may be a table; a compressed one can only be an archive. */
static akin_status judge(const akin_source_tar *tar) {
    if (tar->failure != AKIN_OK) return akin_error_set(tar->failure, "%s", tar->message);
    const char *filter = tar->gzip ? "gzip"
                         : archive_filter_code(tar->archive, 0) == ARCHIVE_FILTER_NONE
                             ? NULL
                             : archive_filter_name(tar->archive, 0);
    const char *why = archive_error_string(tar->archive);
    size_t seems = filter ? SIZE_MAX : find_compression(tar->path);
    if (!filter && seems == SIZE_MAX) return AKIN_OK;
    if (!filter && !compressions[seems].inside)
        return akin_error_set(AKIN_INPUT,
                              "%s: is compressed in a way that is not read (lrzip, lzop or grzip); "
                              "gzip, bzip2, xz, lz4 and zstd are",
                              tar->path);
    return akin_error_set(AKIN_INPUT,
                          "%s: is compressed (%s), but its content is not a complete tar "
                          "archive%s%s",
                          tar->path, filter ? filter : compressions[seems].name, why ? ": " : "",
                          why ? why : "");
}

akin_status akin_source_tar_list(const char *path, akin_source_list *rows, bool *is_tar) {
    akin_status status;
    akin_source_tar *tar = NULL;
    struct archive_entry *entry = NULL;
    list l = {.rows = rows, .path = path};
    *is_tar = false;
    AKIN_TRY(try_open(path, &tar, is_tar));
    tar->lists = true;
    if (!*is_tar) {
        status = judge(tar);
        goto done;
    }
    for (;;) {
        const char *fault_of;
        AKIN_TRY(next_entry(tar, &entry, &fault_of));
        if (!entry) break;
        AKIN_TRY(add_member(&l, entry, tar->member, fault_of));
    }
    AKIN_TRY(check_end(tar));
    if (tar->warnings > WARNINGS_SHOWN)
        akin_log_warning_once("%s: %zu more members were accepted with a warning", path,
                              tar->warnings - WARNINGS_SHOWN);
    AKIN_TRY(follow_links(&l));
done:
    akin_source_tar_close(tar);
    for (size_t i = 0; i < l.count; i++) {
        akin_mem_free(l.nodes[i].name);
        akin_mem_free(l.nodes[i].target);
    }
    akin_mem_free(l.nodes);
    return status;
}
