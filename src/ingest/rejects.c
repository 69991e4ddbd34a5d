/* rejects: which rows were rejected, and why. */
#include <akin/csv.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/source.h>
#include <akin/text.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 10 };

typedef struct {
    size_t row;
    size_t reason; /* offset into reasons */
} entry;

struct akin_rejects {
    akin_text *reasons; /* consecutive, each NUL-terminated */
    entry *entries;
    size_t count, room;
};

akin_status akin_rejects_create(akin_rejects **out) {
    *out = akin_mem_zalloc(1, sizeof **out);
    if (!*out) return AKIN_FAILED;
    akin_status status = akin_text_create(&(*out)->reasons);
    if (status != AKIN_OK) {
        akin_mem_free(*out);
        *out = NULL;
    }
    return status;
}

void akin_rejects_free(akin_rejects *rejects) {
    if (!rejects) return;
    akin_text_free(rejects->reasons);
    akin_mem_free(rejects->entries);
    akin_mem_free(rejects);
}

akin_status akin_rejects_add(akin_rejects *rejects, size_t row, const char *reason) {
    if (rejects->count == rejects->room) {
        size_t room = rejects->room ? 2 * rejects->room : 64;
        entry *grown = akin_mem_resize(rejects->entries, rejects->count, room, sizeof *grown);
        if (!grown) return AKIN_FAILED;
        rejects->entries = grown;
        rejects->room = room;
    }
    rejects->entries[rejects->count] = (entry){row, akin_text_length(rejects->reasons)};
    akin_status status = akin_text_append_bytes(rejects->reasons, reason, strlen(reason) + 1);
    if (status == AKIN_OK) rejects->count++;
    return status;
}

static int by_row(const void *a, const void *b) {
    size_t x = ((const entry *)a)->row, y = ((const entry *)b)->row;
    return (x > y) - (x < y);
}

/* Those of all ranks; where those of each rank begin, in bytes, [size + 1]. */
typedef struct {
    const entry *entries;
    const char *reasons;
    const size_t *entry_offsets, *reason_offsets;
    int size;
} gathered;

/* Combines what the ranks sent with the rows that were rejected when the source was listed. */
static akin_status merge(akin_rejects *rejects, const akin_source *source, const gathered *all) {
    akin_status status = AKIN_OK;
    akin_text *why = NULL;
    akin_text_clear(rejects->reasons);
    rejects->count = 0;
    AKIN_TRY(akin_text_create(&why));
    for (int rank = 0; rank < all->size; rank++) {
        const entry *own = all->entries + all->entry_offsets[rank] / sizeof *own;
        size_t count = (all->entry_offsets[rank + 1] - all->entry_offsets[rank]) / sizeof *own;
        for (size_t i = 0; i < count; i++) {
            const char *reason = all->reasons + all->reason_offsets[rank] + own[i].reason;
            akin_text_clear(why);
            AKIN_TRY(akin_source_explain(source, own[i].row, reason, why));
            AKIN_TRY(akin_rejects_add(rejects, own[i].row, akin_text_bytes(why)));
        }
    }
    for (size_t row = 0; row < akin_source_rows(source); row++) {
        const char *reason = akin_source_get(source, row).reason;
        if (reason) AKIN_TRY(akin_rejects_add(rejects, row, reason));
    }
    if (rejects->count > 0)
        qsort(rejects->entries, rejects->count, sizeof *rejects->entries, by_row);
done:
    akin_text_free(why);
    return status;
}

akin_status akin_rejects_gather(akin_rejects *rejects, akin_comm *comm, const akin_source *source,
                                size_t *count) {
    akin_status status = AKIN_OK;
    void *entries = NULL, *reasons = NULL;
    int size = akin_comm_size(comm);
    size_t *offsets = akin_mem_alloc(2 * ((size_t)size + 1), sizeof *offsets);
    AKIN_TRY(akin_agree(comm, offsets ? AKIN_OK : AKIN_FAILED));
    size_t *entry_offsets = offsets, *reason_offsets = offsets + size + 1;
    AKIN_TRY(akin_comm_gather(comm, rejects->entries, rejects->count * sizeof *rejects->entries, 0,
                              &entries, entry_offsets));
    AKIN_TRY(akin_comm_gather(comm, akin_text_bytes(rejects->reasons),
                              akin_text_length(rejects->reasons), 0, &reasons, reason_offsets));
    const gathered found = {entries, reasons, entry_offsets, reason_offsets, size};
    if (akin_comm_rank(comm) == 0) status = merge(rejects, source, &found);
    AKIN_TRY(akin_agree(comm, status));
    int64_t all = akin_comm_rank(comm) == 0 ? (int64_t)rejects->count : 0;
    akin_comm_max_i64(comm, &all, 1);
    *count = (size_t)all;
done:
    akin_mem_free(entries);
    akin_mem_free(reasons);
    akin_mem_free(offsets);
    return status;
}

/* A field in which every byte that is not part of valid UTF-8 is shown as \xNN. */
static akin_status append_readable(akin_text *line, akin_text *scratch, const char *field) {
    akin_status status = AKIN_OK;
    akin_text_clear(scratch);
    for (size_t i = 0, length = strlen(field); i < length;) {
        size_t good = 0;
        for (size_t n = 1; n <= 4 && i + n <= length && !good; n++)
            if (akin_text_is_utf8(field + i, n)) good = n;
        if (good)
            AKIN_TRY(akin_text_append_bytes(scratch, field + i, good));
        else
            AKIN_TRY(akin_text_append(scratch, "\\x%02X", (unsigned)(unsigned char)field[i]));
        i += good ? good : 1;
    }
    AKIN_TRY(akin_csv_append(line, akin_text_bytes(scratch)));
done:
    return status;
}

static akin_status write_lines(const akin_rejects *rejects, const akin_source *source,
                               FILE *stream) {
    akin_status status = AKIN_OK;
    akin_text *line = NULL, *scratch = NULL, *shown = NULL;
    AKIN_TRY(akin_text_create(&line));
    AKIN_TRY(akin_text_create(&scratch));
    AKIN_TRY(akin_text_create(&shown));
    fputs("id,path,reason\n", stream);
    for (size_t i = 0; i < rejects->count; i++) {
        akin_source_row row = akin_source_get(source, rejects->entries[i].row);
        akin_text_clear(shown); /* an address may contain a password */
        AKIN_TRY(akin_text_append_hidden(shown, row.path));
        const char *fields[] = {row.id, akin_text_bytes(shown),
                                akin_text_bytes(rejects->reasons) + rejects->entries[i].reason};
        akin_text_clear(line);
        for (size_t f = 0; f < 3; f++) {
            if (f) AKIN_TRY(akin_text_append_bytes(line, ",", 1));
            AKIN_TRY(append_readable(line, scratch, fields[f]));
        }
        fprintf(stream, "%s\n", akin_text_bytes(line)); /* commit reports errors */
    }
done:
    akin_text_free(line);
    akin_text_free(scratch);
    akin_text_free(shown);
    return status;
}

static akin_status write_file(const akin_rejects *rejects, const akin_source *source,
                              const char *path) {
    akin_status status = AKIN_OK;
    akin_outfile *file = NULL, *taken;
    AKIN_TRY(akin_outfile_create(path, &file));
    AKIN_TRY(write_lines(rejects, source, akin_outfile_stream(file)));
    taken = file;
    file = NULL; /* commit frees it in every case */
    AKIN_TRY(akin_outfile_commit(taken, false));
done:
    akin_outfile_discard(file);
    return status;
}

akin_status akin_rejects_write(const akin_rejects *rejects, akin_comm *comm,
                               const akin_source *source, const char *path) {
    return akin_agree(comm,
                      akin_comm_rank(comm) == 0 ? write_file(rejects, source, path) : AKIN_OK);
}

void akin_rejects_show(const akin_rejects *rejects, const akin_source *source, const char *path) {
    for (size_t i = 0; i < rejects->count && i < SHOWN; i++) {
        akin_source_row row = akin_source_get(source, rejects->entries[i].row);
        akin_log_warning("rejected: %s (%s): %s", row.id, row.path,
                         akin_text_bytes(rejects->reasons) + rejects->entries[i].reason);
    }
    if (rejects->count > SHOWN)
        akin_log_warning("%zu more rows were rejected; %s lists all", rejects->count - SHOWN,
                         path ? path : "--rejects FILE.csv");
}
