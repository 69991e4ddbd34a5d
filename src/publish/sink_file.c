/* sink_file: tables published as files, in the form that the ending of the name selects; the
 * previous file is kept as PATH.prev. */
#include "file_origin.h"
#include "fileform.h"
#include "lease.h"
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/sink.h>
#include <akin/table.h>
#include <akin/text.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEME "file:"
#define MEMORY ".rolled-back"
#define BLOCK_BYTES ((size_t)1 << 20)
#define PULSE_ROWS 4096
#define MEMORY_LIMIT ((size_t)4096) /* bytes */

struct akin_target {
    const akin_fileform *form;
    char *path;     /* of the URL; if that is a link, its target */
    char *previous; /* PATH.prev */
    char *memory;   /* PATH.rolled-back: what was rolled back before the last publication */
    char rolled_back[AKIN_ROLLED_BACK_SIZE];
    akin_outfile *file;
    uint64_t bytes;
    char digest[AKIN_HASH_TEXT_SIZE]; /* of the new file */
    char live[AKIN_HASH_TEXT_SIZE];   /* of the current one */
};

static const char *path_of(const char *url) {
    return url + strlen(SCHEME);
}

static akin_status check_url(const char *url) {
    const akin_fileform *form;
    return akin_fileform_of(path_of(url), &form);
}

/* The name within its resolved folder, so that every spelling of it is the same text. Owned;
 * NULL: out of memory. */
static char *real_name(const char *path) {
    char *folder = akin_file_folder(path), *real = folder ? realpath(folder, NULL) : NULL;
    char *name = folder ? akin_file_join(real ? real : folder, akin_file_name(path)) : NULL;
    free(real);
    akin_mem_free(folder);
    return name;
}

static char *identity(const char *url) {
    return real_name(path_of(url));
}

static bool same_file(const char *a, const char *b) {
    struct stat first, second;
    if (stat(a, &first) == 0 && stat(b, &second) == 0)
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
    char *one = real_name(a), *other = real_name(b);
    bool same = one && other && strcmp(one, other) == 0;
    akin_mem_free(one);
    akin_mem_free(other);
    return same;
}

static bool overwrites(const char *url, const char *path) {
    static const char *const endings[] = {"", ".prev", ".part", MEMORY};
    bool found = false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !found; i++) {
        char *name = akin_file_with_ending(path_of(url), endings[i]);
        found = !name || same_file(name, path);
        akin_mem_free(name);
    }
    return found;
}

/* --- the published file --- */

static void close_target(akin_target *target) {
    if (!target) return;
    akin_outfile_discard(target->file);
    akin_mem_free(target->path);
    akin_mem_free(target->previous);
    akin_mem_free(target->memory);
    akin_mem_free(target);
}

/* AKIN_INPUT with this advice, if the file exists and akin did not publish it. */
static akin_status check_one(const akin_target *target, const char *path, const char *advice) {
    struct stat facts;
    bool ours = false;
    if (stat(path, &facts) != 0) return AKIN_OK;
    if (S_ISDIR(facts.st_mode))
        return akin_error_set(AKIN_FAILED,
                              "%s: is a folder; give the name of a file, or move it away", path);
    if (S_ISREG(facts.st_mode)) {
        akin_status status = akin_fileform_recognise(target->form, path, &ours);
        if (status != AKIN_OK) return status;
    }
    if (ours) return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s: is not a table that akin published as %s%s", path,
                          akin_file_ending(target->path), advice);
}

static akin_status check_ours(const akin_target *target, const char *advice) {
    akin_status status = check_one(target, target->path, advice);
    return status == AKIN_OK ? check_one(target, target->previous, advice) : status;
}

static akin_status open_target(const char *url, const akin_sink_options *options,
                               akin_target **out) {
    akin_status status = AKIN_OK;
    (void)options;
    *out = NULL;
    akin_target *target = akin_mem_zalloc(1, sizeof *target);
    if (!target) return AKIN_FAILED;
    AKIN_TRY(akin_fileform_of(path_of(url), &target->form));
    target->path = akin_file_resolved(path_of(url)); /* a link stays one */
    if (!target->path) AKIN_TRY(AKIN_FAILED);
    target->previous = akin_file_with_ending(target->path, ".prev");
    target->memory = akin_file_with_ending(target->path, MEMORY);
    if (!target->previous || !target->memory) AKIN_TRY(AKIN_FAILED);
    *out = target;
    target = NULL;
done:
    close_target(target);
    return status;
}

/* XXH3-128 of a file's bytes. */
static akin_status digest_of(const char *path, char digest[AKIN_HASH_TEXT_SIZE]) {
    akin_status status = AKIN_OK;
    akin_hasher *hasher = NULL;
    size_t got = 0;
    FILE *file = fopen(path, "re");
    char *block = akin_mem_alloc(BLOCK_BYTES, 1);
    if (!block) AKIN_TRY(AKIN_FAILED);
    if (!file)
        AKIN_TRY(akin_error_set(AKIN_FAILED, "%s: cannot be read: %s", path, strerror(errno)));
    AKIN_TRY(akin_hasher_create(&hasher));
    bool fault = false;
    while (!(fault = akin_fault_read()) && (got = fread(block, 1, BLOCK_BYTES, file)) > 0)
        akin_hasher_add(hasher, block, got);
    if (fault || ferror(file)) AKIN_TRY(akin_error_set(AKIN_FAILED, "%s: cannot be read", path));
    akin_hash_text(akin_hasher_result(hasher), digest);
done:
    if (file) fclose(file);
    akin_hasher_free(hasher);
    akin_mem_free(block);
    return status;
}

/* PATH.prev is the newer file if a rollback swapped the two. */
static bool is_younger(const char *path, const struct stat *than) {
    struct stat facts;
    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
    if (facts.st_mtim.tv_sec != than->st_mtim.tv_sec)
        return facts.st_mtim.tv_sec > than->st_mtim.tv_sec;
    return facts.st_mtim.tv_nsec > than->st_mtim.tv_nsec;
}

static akin_status remember(akin_target *target) {
    unsigned char *bytes = NULL;
    size_t count = 0;
    if (!akin_file_exists(target->memory)) return AKIN_OK;
    akin_status status = akin_file_read(target->memory, MEMORY_LIMIT, &bytes, &count);
    char text[MEMORY_LIMIT + 1];
    snprintf(text, sizeof text, "%.*s", (int)count, status == AKIN_OK ? (const char *)bytes : "");
    akin_mem_free(bytes);
    if (status == AKIN_OK && !akin_rolled_back_read(target->rolled_back, text))
        status = akin_error_set(AKIN_INPUT,
                                "%s: is not the list of tables rolled back that akin keeps there: "
                                "move it away",
                                target->memory);
    return status;
}

/* With the table that the last rollback removed. */
static akin_status list_rolled_back(akin_target *target, const struct stat *live) {
    char digest[AKIN_HASH_TEXT_SIZE];
    target->rolled_back[0] = '\0';
    akin_status status = remember(target);
    if (status != AKIN_OK || !is_younger(target->previous, live)) return status;
    status = digest_of(target->previous, digest);
    if (status == AKIN_OK) akin_rolled_back_add(target->rolled_back, digest);
    return status;
}

static akin_status look(akin_target *target, akin_live *live) {
    *live = (akin_live){0};
    struct stat facts;
    akin_status status = check_ours(
        target, ", so it is not overwritten: choose another file, or move this one away");
    if (status != AKIN_OK) return status;
    if (stat(target->path, &facts) != 0 || !S_ISREG(facts.st_mode)) return AKIN_OK;
    live->there = facts.st_size > 0;
    status = live->there ? digest_of(target->path, live->digest) : AKIN_OK;
    memcpy(target->live, live->digest, sizeof target->live);
    if (status == AKIN_OK && live->there) status = list_rolled_back(target, &facts);
    memcpy(live->rolled_back, target->rolled_back, sizeof live->rolled_back);
    return status;
}

/* A file has no generation; its time is that of its last modification, which a rollback keeps. */
static akin_status describe_file(const akin_target *target, const char *path,
                                 akin_edition *edition) {
    struct stat facts;
    *edition = (akin_edition){0};
    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size == 0) return AKIN_OK;
    edition->there = true;
    akin_lease_stamp(facts.st_mtim.tv_sec, edition->time);
    akin_status status = digest_of(path, edition->digest);
    if (status != AKIN_OK) return status;
    akin_file_origin_get(path, edition->digest, edition->table_digest);
    return akin_fileform_count(target->form, path, &edition->items, &edition->k);
}

static akin_status describe(akin_target *target, akin_standing *standing) {
    *standing = (akin_standing){0};
    akin_status status = check_ours(target, ": give the file that was published");
    if (status == AKIN_OK) status = describe_file(target, target->path, &standing->live);
    if (status != AKIN_OK) return status;
    return describe_file(target, target->previous, &standing->kept);
}

/* --- writing --- */

typedef akin_status (*take_bytes)(akin_target *target, akin_hasher *hasher, const char *bytes,
                                  size_t count);

static akin_status only_count(akin_target *target, akin_hasher *hasher, const char *bytes,
                              size_t count) {
    akin_hasher_add(hasher, bytes, count);
    target->bytes += count;
    return AKIN_OK;
}

static akin_status write_bytes(akin_target *target, akin_hasher *hasher, const char *bytes,
                               size_t count) {
    akin_hasher_add(hasher, bytes, count);
    if (fwrite(bytes, 1, count, akin_outfile_stream(target->file)) == count) return AKIN_OK;
    return akin_error_set(AKIN_FAILED, "%s: cannot be written; is the disk full?", target->path);
}

/* Passes all bytes of the file to `take`. */
typedef struct {
    akin_target *target;
    const akin_sink_source *source;
    akin_text *text;
    akin_hasher *hasher;
    take_bytes take;
    const char *doing;
} formatting;

static akin_status format_pass(const formatting *f, int pass, akin_lists *lists) {
    akin_status status = AKIN_OK;
    const akin_sink_source *source = f->source;
    size_t n = source->items, k = akin_table_k(source->table);
    akin_text_clear(f->text);
    AKIN_TRY(akin_fileform_head(f->target->form, pass, n, k, f->text));
    for (size_t row = 0; row < n; row++) {
        akin_list list;
        AKIN_TRY(akin_lists_get(lists, row, &list));
        AKIN_TRY(akin_fileform_append(f->target->form, pass, k, source->ids, &list, f->text));
        if (row % PULSE_ROWS == 0) AKIN_TRY(source->pulse(source->context, f->doing, row, n));
        if (akin_text_length(f->text) < BLOCK_BYTES && row + 1 < n) continue;
        AKIN_TRY(
            f->take(f->target, f->hasher, akin_text_bytes(f->text), akin_text_length(f->text)));
        akin_text_clear(f->text);
    }
done:
    return status;
}

static akin_status format_all(akin_target *target, const akin_sink_source *source, take_bytes take,
                              const char *doing, char digest[AKIN_HASH_TEXT_SIZE]) {
    akin_status status = AKIN_OK;
    akin_lists *lists = NULL;
    formatting f = {.target = target, .source = source, .take = take, .doing = doing};
    AKIN_TRY(akin_text_create(&f.text));
    AKIN_TRY(akin_hasher_create(&f.hasher));
    for (int pass = 0; pass < akin_fileform_passes(target->form); pass++) {
        AKIN_TRY(akin_lists_create(source->table, &lists));
        AKIN_TRY(format_pass(&f, pass, lists));
        akin_lists_free(lists);
        lists = NULL;
    }
    akin_hash_text(akin_hasher_result(f.hasher), digest);
done:
    akin_hasher_free(f.hasher);
    akin_text_free(f.text);
    akin_lists_free(lists);
    return status;
}

/* A dry run over all bytes, so that space on the disk is reserved, and a file identical to the
 * present one is recognised, before anything is written. */
static akin_status prepare(akin_target *target, const akin_sink_source *source,
                           akin_published *published) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_file_check_output(target->path));
    target->bytes = 0;
    AKIN_TRY(format_all(target, source, only_count, "measuring", published->digest));
    published->bytes = target->bytes;
    memcpy(target->digest, published->digest, sizeof target->digest);
done:
    return status;
}

static akin_status recognise(akin_target *target, const akin_sink_source *other, bool *same) {
    char digest[AKIN_HASH_TEXT_SIZE];
    akin_status status = format_all(target, other, only_count, "looking", digest);
    *same = status == AKIN_OK && strcmp(digest, target->live) == 0;
    return status;
}

static akin_status compare(akin_target *target, const akin_sink_source *source,
                           akin_publish_diff *change) {
    (void)source;
    return akin_fileform_compare(target->form, target->path, change);
}

/* A part left by a killed run may occupy the very space that is needed. */
static akin_status check_space(const char *path, uint64_t bytes) {
    char *part = akin_file_part_name(path);
    if (!part) return AKIN_FAILED;
    unlink(part);
    akin_mem_free(part);
    return akin_file_check_space(path, bytes);
}

static akin_status stage(akin_target *target, const akin_sink_source *source,
                         akin_published *published) {
    akin_status status = AKIN_OK;
    AKIN_TRY(check_space(target->path, target->bytes));
    AKIN_TRY(akin_outfile_create(target->path, &target->file));
    AKIN_TRY(format_all(target, source, write_bytes, "writing", published->digest));
    published->sent = source->items;
done:
    return status;
}

/* A publication replaces PATH.prev, so what was rolled back is written down first. */
static akin_status write_memory(akin_target *target) {
    akin_outfile *file = NULL;
    akin_rolled_back_remove(target->rolled_back, target->digest);
    if (!*target->rolled_back) {
        if (akin_file_exists(target->memory)) akin_file_remove(target->memory);
        return AKIN_OK;
    }
    akin_status status = akin_outfile_create(target->memory, &file);
    if (status != AKIN_OK) return status;
    fprintf(akin_outfile_stream(file), "%s\n", target->rolled_back);
    return akin_outfile_commit(file, false);
}

static akin_status commit(akin_target *target, const akin_sink_source *source,
                          akin_published *published) {
    (void)published;
    akin_status status = write_memory(target);
    if (status != AKIN_OK) return status;
    akin_outfile *file = target->file;
    akin_file_origin_set(akin_outfile_stream(file), target->digest, source->digest);
    target->file = NULL; /* freed by commit */
    return akin_outfile_commit(file, true);
}

/* --- reading back --- */

/* Lines of a file cannot be found by row: the whole file is read, not only these rows. */
static akin_status verify(akin_target *target, const akin_sink_source *source, const size_t *rows,
                          size_t count) {
    char digest[AKIN_HASH_TEXT_SIZE];
    (void)source, (void)rows, (void)count;
    akin_status status = digest_of(target->path, digest);
    if (status == AKIN_OK && strcmp(digest, target->digest) != 0)
        status = akin_error_set(
            AKIN_FAILED,
            "%s: differs from what was written when read back: publish again, or roll back",
            target->path);
    return status;
}

static void tidy(akin_target *target) {
    char *part = akin_file_part_name(target->path);
    if (part) unlink(part);
    akin_mem_free(part);
}

/* --- rolling back --- */

static akin_status check_rollback(akin_target *target) {
    if (!akin_file_exists(target->previous))
        return akin_error_set(AKIN_FAILED,
                              "%s: no such file, so there is nothing to roll back to: a second "
                              "publication creates it",
                              target->previous);
    return AKIN_OK;
}

static akin_status rollback(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    size_t k = 0;
    if (akin_file_exists(target->path))
        AKIN_TRY(akin_file_swap(target->path, target->previous));
    else /* someone removed it: the previous file is restored nevertheless */
        AKIN_TRY(akin_file_sync_rename(target->previous, target->path));
    AKIN_TRY(look(target, live));
    status = akin_fileform_count(target->form, target->path, &live->items, &k);
done:
    return status;
}

const akin_sink akin_sink_file = {
    .schemes = {"file"},
    .forms = AKIN_FILEFORM_NAMES,
    .input = AKIN_SINK_TABLE,
    .check_url = check_url,
    .identity = identity,
    .overwrites = overwrites,
    .open = open_target,
    .look = look,
    .describe = describe,
    .prepare = prepare,
    .recognise = recognise,
    .compare = compare,
    .stage = stage,
    .tidy = tidy,
    .commit = commit,
    .verify = verify,
    .check_rollback = check_rollback,
    .rollback = rollback,
    .close = close_target,
};
