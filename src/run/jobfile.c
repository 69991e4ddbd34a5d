/* jobfile: an INI file with one section per stage; the one module with <ini.h>. */
#include "jobfile_keys.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <ini.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LINE_LIMIT = 200, FILE_LIMIT = 1 << 20, KEY_SIZE = 64, INIH_REST = 16 };

typedef struct {
    size_t section;
    char key[KEY_SIZE]; /* "" is the line of the section itself */
    int line;
    bool wrong; /* of a section: one of its keys, which were left out */
} place;

struct akin_jobfile {
    char *path;
    unsigned char *bytes; /* [byte_count]: the file */
    size_t byte_count;
    akin_jobfile_section *sections; /* the declared ones, then those that the file names */
    size_t declared, section_count;
    akin_options **options; /* [section_count] */
    place *places;
    size_t place_count;
};

/* While the file is read. */
typedef struct {
    akin_jobfile *job;
    const char *at, *end; /* what has not been read yet */
    int line;             /* of the current line, from 1 */
    bool continues;       /* it begins with a blank and continues the value above */
    size_t section;       /* the current one, section_count before the first */
    int section_line, section_keys;
    bool skips;         /* the section's heading is wrong, so its keys are left out */
    akin_status status; /* the first error that ends the reading, and the line where it ended */
    int wrong_line;
    akin_error_kept mistakes; /* which do not end it */
    int first_mistake;        /* the line where it was found */
    bool wrong_sections;      /* not only keys */
} reading;

static akin_status wrong(reading *self, int line, akin_status status) {
    self->wrong_line = self->line;
    return self->status = akin_error_context(status, "%s:%d: ", self->job->path, line);
}

/* A mistake that the reading goes on after. */
static void note(reading *self) {
    akin_error_gather(&self->mistakes);
    if (self->first_mistake == 0) self->first_mistake = self->line;
}

/* The same of a section; other errors end the reading. */
static akin_status wrong_section(reading *self, int line, akin_status status) {
    if (status != AKIN_USAGE) return wrong(self, line, status);
    akin_error_context(status, "%s:%d: ", self->job->path, line);
    note(self);
    self->wrong_sections = true;
    return AKIN_OK;
}

static akin_status add_place(akin_jobfile *job, size_t section, const char *key, int line) {
    place *more =
        akin_mem_resize(job->places, job->place_count, job->place_count + 1, sizeof *more);
    if (!more) return AKIN_FAILED;
    job->places = more;
    place *added = &more[job->place_count++];
    *added = (place){.section = section, .line = line};
    snprintf(added->key, sizeof added->key, "%s", key);
    return AKIN_OK;
}

static place *find_place(const akin_jobfile *job, size_t section, const char *key) {
    for (size_t i = 0; i < job->place_count; i++)
        if (job->places[i].section == section &&
            strncmp(job->places[i].key, key, KEY_SIZE - 1) == 0)
            return &job->places[i];
    return NULL;
}

/* The index of the section, section_count if there is none. */
static size_t find_section(const akin_jobfile *job, const char *name, size_t length) {
    size_t i = 0;
    while (i < job->section_count && (strlen(job->sections[i].name) != length ||
                                      strncmp(job->sections[i].name, name, length) != 0))
        i++;
    return i;
}

/* --- sections: parsed here, because inih does not report one without keys --- */

static akin_status end_section(reading *self) {
    if (self->section_line == 0 || self->section_keys > 0) return AKIN_OK;
    return wrong_section(
        self, self->section_line,
        akin_error_set(AKIN_USAGE, "[%s] has no key; it needs at least one, such as enabled = yes",
                       self->job->sections[self->section].name));
}

/* Room for one more section; the new one has no options yet. */
static akin_status grow(akin_jobfile *job) {
    size_t count = job->section_count;
    akin_jobfile_section *sections =
        akin_mem_resize(job->sections, count, count + 1, sizeof *sections);
    if (!sections) return AKIN_FAILED;
    job->sections = sections;
    akin_options **options = akin_mem_resize(job->options, count, count + 1, sizeof *options);
    if (!options) return AKIN_FAILED;
    job->options = options;
    options[count] = NULL;
    return AKIN_OK;
}

/* Section `kind` with this name, "table NAME". */
static akin_status add_named(akin_jobfile *job, size_t kind, const char *name) {
    akin_status status = AKIN_OK;
    akin_text *full = NULL;
    AKIN_TRY(akin_text_create(&full));
    AKIN_TRY(akin_text_append(full, "%s %s", job->sections[kind].name, name));
    AKIN_TRY(grow(job));
    akin_jobfile_section *added = &job->sections[job->section_count];
    *added = job->sections[kind];
    added->named = false;
    added->name = akin_mem_text(akin_text_bytes(full));
    if (!added->name) AKIN_TRY(AKIN_FAILED);
    job->section_count++; /* from here it is freed with the others */
    status = akin_options_create(added->tables, &job->options[job->section_count - 1]);
done:
    akin_text_free(full);
    return status;
}

/* [table NAME]: *index is its section, section_count if `text` begins with no such kind. */
static akin_status begin_named(reading *self, const char *text, size_t *index) {
    akin_jobfile *job = self->job;
    size_t length = strcspn(text, " \t"), kind = find_section(job, text, length);
    const char *name = text + length + strspn(text + length, " \t");
    *index = job->section_count;
    if (kind >= job->declared || !job->sections[kind].named) return AKIN_OK;
    if (!akin_jobfile_is_name(name))
        return akin_error_set(
            AKIN_USAGE, "[%s] needs a name of letters, digits, - and _ (at most %d): [%s NAME]",
            text, AKIN_JOBFILE_NAME_LIMIT, job->sections[kind].name);
    if (strcmp(name, "main") == 0)
        return akin_error_set(AKIN_USAGE, "[%s]: main is the %s without a name; choose another",
                              text, job->sections[kind].name);
    for (size_t i = job->declared; i < job->section_count; i++)
        if (strncmp(job->sections[i].name, text, length) == 0 &&
            strcmp(job->sections[i].name + length + 1, name) == 0) {
            const place *before = find_place(job, i, "");
            return akin_error_set(AKIN_USAGE, "[%s %s] is given twice, first on line %d",
                                  job->sections[kind].name, name, before ? before->line : 0);
        }
    return add_named(job, kind, name);
}

/* `text` begins with "[" and may be changed. */
static akin_status begin_section(reading *self, char *text) {
    akin_status status = end_section(self);
    if (status != AKIN_OK) return status;
    self->section_line = 0;
    self->skips = true;
    char *close = strchr(text, ']'), *name = text + 1 + strspn(text + 1, " \t");
    const char *behind = close ? close + 1 + strspn(close + 1, " \t\r") : NULL;
    if (!close || (*behind && *behind != ';' && *behind != '#'))
        return wrong_section(self, self->line,
                             akin_error_set(AKIN_USAGE, "a section is written as [name]"));
    while (close > name && strchr(" \t", close[-1])) close--;
    *close = '\0';
    status = begin_named(self, name, &self->section);
    if (status != AKIN_OK) return wrong_section(self, self->line, status);
    if (self->section == self->job->section_count)
        self->section = find_section(self->job, name, strlen(name));
    if (self->section == self->job->section_count)
        return wrong_section(
            self, self->line,
            akin_jobfile_unknown_section(self->job->sections, self->job->declared, name));
    self->section_line = self->line;
    self->section_keys = 0;
    self->skips = false;
    status = add_place(self->job, self->section, "", self->line);
    return status == AKIN_OK ? AKIN_OK : wrong(self, self->line, status);
}

/* --- keys --- */

static akin_status check_key(const reading *self, const char *key, bool list) {
    const akin_jobfile_section *section = &self->job->sections[self->section];
    for (const akin_jobfile_refusal *no = section->refusals; no && no->key; no++)
        if (strcmp(no->key, key) == 0) return akin_error_set(AKIN_USAGE, "%s %s", key, no->why);
    if (self->continues && !list)
        return akin_error_set(
            AKIN_USAGE,
            "a line that begins with a blank continues the key above, but %s takes one value", key);
    const place *before = find_place(self->job, self->section, key);
    if (before && !list)
        return akin_error_set(AKIN_USAGE, "%s is given twice, first on line %d", key, before->line);
    return AKIN_OK;
}

static akin_status set_arguments(akin_options *options, const char *key, const char *value) {
    char **words = NULL;
    size_t count = 0;
    akin_status status = akin_options_split(value, &words, &count);
    for (size_t i = 0; status == AKIN_OK && i < count; i++) {
        status = *words[i] ? AKIN_OK : akin_error_set(AKIN_USAGE, "contains an empty name");
        if (status == AKIN_OK) status = akin_options_add_argument(options, words[i]);
    }
    akin_options_free_words(words, count);
    return status == AKIN_OK ? AKIN_OK : akin_error_context(status, "%s ", key);
}

/* A text may be quoted as a whole; otherwise it is taken literally, including blanks. */
static akin_status set_text(akin_options *options, const char *key, char *value) {
    size_t length = strlen(value);
    if (*value == '"' || *value == '\'') {
        if (length < 2 || value[length - 1] != *value)
            return akin_error_set(AKIN_USAGE, "%s has an unclosed quote (%c)", key, *value);
        value[length - 1] = '\0';
        value++;
    }
    return akin_options_set(options, key, value, NULL);
}

static akin_status set_key(reading *self, const char *key, char *value) {
    akin_status status = AKIN_OK;
    akin_jobfile *job = self->job;
    akin_options *options = job->options[self->section];
    const char *argument_key = job->sections[self->section].argument_key;
    bool is_argument = argument_key && strcmp(argument_key, key) == 0;
    akin_option_type type = AKIN_OPTION_LIST;
    if (!is_argument && !akin_options_declared(options, key, &type))
        return akin_jobfile_refuse_key(job->sections, job->options, job->declared, self->section,
                                       key);
    AKIN_TRY(check_key(self, key, type == AKIN_OPTION_LIST));
    if (!self->continues) AKIN_TRY(add_place(job, self->section, key, self->line));
    if (is_argument)
        status = set_arguments(options, key, value);
    else if (type == AKIN_OPTION_TEXT)
        status = set_text(options, key, value);
    else
        status = akin_options_set(options, key, value, NULL);
    if (status == AKIN_OK && type == AKIN_OPTION_LIST)
        status = akin_options_mark(options, is_argument ? NULL : key, self->line);
done:
    return status;
}

/* inih calls this for each key = value. */
static int on_key(void *user, const char *section, const char *key, const char *value) {
    (void)section;
    reading *self = user;
    if (self->status != AKIN_OK) return 0;
    if (self->skips) return 1;
    if (self->section == self->job->section_count) {
        (void)wrong(self, self->line,
                    akin_error_set(AKIN_USAGE, "%s stands before the first [section]", key));
        return 0;
    }
    self->section_keys++;
    char *copy = akin_mem_text(value);
    akin_status status = copy ? set_key(self, key, copy) : AKIN_FAILED;
    akin_mem_free(copy);
    if (status == AKIN_USAGE) {
        find_place(self->job, self->section, "")->wrong = true;
        akin_error_context(status, "%s:%d: [%s] ", self->job->path, self->line,
                           self->job->sections[self->section].name);
        note(self);
        return 1;
    }
    if (status != AKIN_OK) (void)wrong(self, self->line, status);
    return status == AKIN_OK;
}

/* --- lines --- */

/* Whether this is key = value, rather than the continuation of a list. */
static bool is_assignment(const char *text) {
    size_t key = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return key > 0 && text[key + strspn(text + key, " \t")] == '=';
}

/* inih leaves comments after a continued value in place. */
static void cut_comment(char *text) {
    for (char *at = text; *at; at++)
        if (*at == ';' && at > text && strchr(" \t", at[-1])) *at = '\0';
}

/* inih calls this for the next line; NULL ends the file. Removes the indentation of lines that
 * are complete in themselves, which inih would take for a continuation of the value above. */
static char *next_line(char *line, int size, void *user) {
    reading *self = user;
    if (self->status != AKIN_OK || self->at >= self->end) return NULL;
    /* inih 58 and newer ask with a buffer of 16 bytes for the rest of a line that fills theirs: there is none. */
    if (size <= INIH_REST) return NULL;
    const char *newline = memchr(self->at, '\n', (size_t)(self->end - self->at));
    size_t length = (size_t)((newline ? newline : self->end) - self->at);
    self->line++;
    if (length >= LINE_LIMIT || (int)length >= size || memchr(self->at, '\0', length)) {
        (void)wrong(
            self, self->line,
            akin_error_set(
                AKIN_USAGE,
                length < LINE_LIMIT
                    ? "contains a byte that is not text"
                    : "has 200 bytes or more; split it, for lists by giving the key again"));
        return NULL;
    }
    memcpy(line, self->at, length);
    line[length] = '\0';
    self->at += length + 1;
    char *begin = line;
    if (self->line == 1 && strncmp(begin, "\xEF\xBB\xBF", 3) == 0) begin += 3;
    char *text = begin + strspn(begin, " \t");
    if (*text == '[' || is_assignment(text)) begin = text;
    self->continues = strchr(" \t", *begin) != NULL;
    memmove(line, begin, strlen(begin) + 1);
    if (self->continues) cut_comment(line);
    if (*line != '[') return line;
    char header[LINE_LIMIT];
    memcpy(header, line, strlen(line) + 1);
    if (begin_section(self, header) != AKIN_OK) return NULL;
    if (self->skips) *line = '\0';
    return line;
}

/* A line that inih takes for nothing, with the section that it stands in. */
static akin_status not_a_line(const akin_jobfile *job, int line) {
    static const char what[] = "neither [section] nor key = value";
    const char *section = NULL;
    for (size_t i = 0; i < job->place_count; i++)
        if (!*job->places[i].key && job->places[i].line < line)
            section = job->sections[job->places[i].section].name;
    return section ? akin_error_set(AKIN_USAGE, "%s:%d: [%s] a line that is %s", job->path, line,
                                    section, what)
                   : akin_error_set(AKIN_USAGE, "%s:%d: %s", job->path, line, what);
}

/* Mistakes in keys, if there are no others (what a section with a wrong heading says is not known), go into *wrong_keys: AKIN_OK. */
static akin_status parse(akin_jobfile *job, const char *bytes, size_t count,
                         akin_error_kept *wrong_keys) {
    reading self = {.job = job, .at = bytes, .end = bytes + count, .section = job->section_count};
    int inih_line = ini_parse_stream(next_line, &self, on_key,
                                     &self); /* the first invalid line, found by us or by inih */
    akin_status status = self.status;
    if (inih_line > 0 && (status == AKIN_OK || inih_line < self.wrong_line))
        status = not_a_line(job, inih_line);
    else if (status == AKIN_OK)
        status = end_section(&self);
    if (self.first_mistake == 0 || status == AKIN_FAILED ||
        (inih_line > 0 && inih_line < self.first_mistake))
        return status;
    if (status != AKIN_OK) akin_error_gather(&self.mistakes);
    akin_error_restore(&self.mistakes);
    if (status != AKIN_OK || self.wrong_sections) return AKIN_USAGE;
    akin_error_keep(wrong_keys);
    return AKIN_OK;
}

/* --- the job file --- */

static akin_status prepare(akin_jobfile *job, const char *path,
                           const akin_jobfile_section *sections, size_t count) {
    job->path = akin_mem_text(path);
    job->sections = akin_mem_alloc(count, sizeof *job->sections);
    job->options = akin_mem_zalloc(count, sizeof *job->options);
    if (!job->path || !job->sections || !job->options) return AKIN_FAILED;
    memcpy(job->sections, sections, count * sizeof *sections);
    job->declared = job->section_count = count;
    akin_status status = AKIN_OK;
    for (size_t i = 0; status == AKIN_OK && i < job->section_count; i++)
        status = akin_options_create(job->sections[i].tables, &job->options[i]);
    return status;
}

akin_status akin_jobfile_read(const char *path, const akin_jobfile_section *sections,
                              akin_jobfile **out) {
    akin_error_kept wrong_keys;
    akin_status status = akin_jobfile_read_on(path, sections, &wrong_keys, out);
    if (status != AKIN_OK || !*wrong_keys.message) return status;
    akin_jobfile_free(*out);
    *out = NULL;
    akin_error_restore(&wrong_keys);
    return AKIN_USAGE;
}

akin_status akin_jobfile_read_on(const char *path, const akin_jobfile_section *sections,
                                 akin_error_kept *wrong_keys, akin_jobfile **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    *wrong_keys->message = *wrong_keys->about = '\0';
    akin_jobfile *job = akin_mem_zalloc(1, sizeof *job);
    if (!job) return AKIN_FAILED;
    size_t count = 0;
    while (sections[count].name) count++;
    AKIN_TRY(prepare(job, path, sections, count));
    AKIN_TRY(akin_file_read(path, FILE_LIMIT, &job->bytes, &job->byte_count));
    AKIN_TRY(parse(job, (const char *)job->bytes, job->byte_count, wrong_keys));
    *out = job;
done:
    if (status != AKIN_OK) akin_jobfile_free(job);
    return status;
}

akin_status akin_jobfile_again(const akin_jobfile *job, akin_jobfile **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_error_kept known; /* wrong keys */
    akin_jobfile *other = akin_mem_zalloc(1, sizeof *other);
    if (!other) return AKIN_FAILED;
    AKIN_TRY(prepare(other, job->path, job->sections, job->declared));
    other->bytes = akin_mem_alloc(job->byte_count, 1);
    if (!other->bytes) AKIN_TRY(AKIN_FAILED);
    other->byte_count = job->byte_count;
    if (job->byte_count > 0) memcpy(other->bytes, job->bytes, job->byte_count);
    AKIN_TRY(parse(other, (const char *)other->bytes, other->byte_count, &known));
    *out = other;
done:
    if (status != AKIN_OK) akin_jobfile_free(other);
    return status;
}

void akin_jobfile_free(akin_jobfile *job) {
    if (!job) return;
    for (size_t i = 0; job->options && i < job->section_count; i++)
        akin_options_free(job->options[i]);
    for (size_t i = job->declared; i < job->section_count; i++)
        akin_mem_free((void *)(uintptr_t)job->sections[i].name);
    akin_mem_free(job->options);
    akin_mem_free(job->sections);
    akin_mem_free(job->places);
    akin_mem_free(job->path);
    akin_mem_free(job->bytes);
    akin_mem_free(job);
}

static size_t require_section(const akin_jobfile *job, const char *section) {
    size_t index = find_section(job, section, strlen(section));
    AKIN_ASSERT(index < job->section_count);
    return index;
}

const char *akin_jobfile_named(const akin_jobfile *job, const char *kind, size_t index) {
    size_t length = strlen(kind);
    for (size_t i = job->declared; i < job->section_count; i++)
        if (strncmp(job->sections[i].name, kind, length) == 0 &&
            job->sections[i].name[length] == ' ' && index-- == 0)
            return job->sections[i].name;
    return NULL;
}

bool akin_jobfile_has(const akin_jobfile *job, const char *section) {
    return find_place(job, require_section(job, section), "") != NULL;
}

bool akin_jobfile_names(const akin_jobfile *job, const char *section, const char *key) {
    return find_place(job, require_section(job, section), key) != NULL;
}

bool akin_jobfile_has_wrong_keys(const akin_jobfile *job, const char *section) {
    const place *found = find_place(job, require_section(job, section), "");
    return found && found->wrong;
}

akin_options *akin_jobfile_options(const akin_jobfile *job, const char *section) {
    return job->options[require_section(job, section)];
}

/* "job.ini:7"; without a line, "job.ini". */
static char *show_place(const akin_jobfile *job, int line) {
    char *shown = NULL;
    akin_text *text = NULL;
    if (akin_text_create(&text) != AKIN_OK) return NULL;
    akin_status status = akin_text_append(text, "%s", job->path);
    if (status == AKIN_OK && line > 0) status = akin_text_append(text, ":%d", line);
    if (status == AKIN_OK) shown = akin_mem_text(akin_text_bytes(text));
    akin_text_free(text);
    return shown;
}

char *akin_jobfile_place(const akin_jobfile *job, const char *section, const char *key) {
    size_t index = require_section(job, section);
    const place *found = key ? find_place(job, index, key) : NULL;
    if (!found) found = find_place(job, index, "");
    return show_place(job, found ? found->line : 0);
}

char *akin_jobfile_place_of(const akin_jobfile *job, const char *section, const char *key,
                            size_t at) {
    size_t index = require_section(job, section);
    const char *arguments = job->sections[index].argument_key;
    bool is_argument = arguments && strcmp(arguments, key) == 0;
    int line = akin_options_line(job->options[index], is_argument ? NULL : key, at);
    return line > 0 ? show_place(job, line) : akin_jobfile_place(job, section, key);
}
