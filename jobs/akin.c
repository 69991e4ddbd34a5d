/* akin: the main program. The table of verbs, the options they share, and a single exit for
 * every rank. */
#include "call.h"
#include "stages.h"
#include <akin/cpu.h>
#include <akin/linalg.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const akin_verb *const akin_verbs[] = {
    &akin_verb_ingest,   &akin_verb_train,   &akin_verb_embed,    &akin_verb_neighbors,
    &akin_verb_evaluate, &akin_verb_publish, &akin_verb_rollback, &akin_verb_query,
    &akin_verb_gallery,  &akin_verb_run,     &akin_verb_add,      &akin_verb_inspect,
    &akin_verb_fetch,    &akin_verb_status,  &akin_verb_plan,     NULL,
};

const akin_option akin_common_options[] = {
    {.name = "help",
     .type = AKIN_OPTION_FLAG,
     .help = "show this help and exit",
     .unrecorded = true},
    {.name = "version",
     .type = AKIN_OPTION_FLAG,
     .help = "show the version and exit",
     .unrecorded = true},
    {.name = "json",
     .type = AKIN_OPTION_FLAG,
     .help = "print one JSON object on stdout",
     .unrecorded = true},
    {.name = "quiet",
     .type = AKIN_OPTION_FLAG,
     .help = "no progress, only warnings and errors",
     .unrecorded = true},
    {.name = "csv-safe",
     .type = AKIN_OPTION_FLAG,
     .help = "in CSV files, put ' before cells that a spreadsheet takes for a formula (= + - @)"},
    {.name = "stall-limit",
     .type = AKIN_OPTION_REAL,
     .initial = "600",
     .minimum = 0.1,
     .maximum = 1e9,
     .argument = "SECONDS",
     .help = "exit with 1 after this long without progress",
     .unrecorded = true},
    {.name = "cpu",
     .type = AKIN_OPTION_CHOICE,
     .initial = "auto",
     .choices = "auto|portable|avx2|avx512|vnni|amx",
     .help = "the compiled kernels to use",
     .unrecorded = true /* the file's akin_cpu is what all ranks agreed on */},
    {0},
};

/* One run of the program. */
typedef struct {
    akin_comm *comm;
    int count;        /* words after "akin" */
    char **words;     /* [count] */
    char **own_words; /* the same, to be freed; NULL: they are the process's */
    bool json;
    const akin_verb *verb; /* NULL until it is known */
    akin_options *options;
    akin_call call;
    char *answer;    /* help or version, owned: what goes to stdout without --json */
    char *line;      /* of --json, owned; NULL = not made yet */
    char scant[256]; /* the line where there is not enough memory for a right one */
    bool logging;
    double start;
} program;

/* Whether the word is among the options, that is, before "--". */
static bool has_word(const program *self, const char *word) {
    for (int i = 0; i < self->count && strcmp(self->words[i], "--") != 0; i++)
        if (strcmp(self->words[i], word) == 0) return true;
    return false;
}

static const char *verb_name(const program *self) {
    bool word = self->count > 0 && self->words[0][0] != '-';
    return self->verb ? self->verb->name : word ? self->words[0] : "";
}

/* --- help and version --- */

static akin_status help_of_program(akin_text *text) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_text_append(text, "usage: akin VERB [ARGUMENT...] [--option value...]\n\n"));
    for (size_t i = 0; akin_verbs[i]; i++)
        AKIN_TRY(
            akin_text_append(text, "  %-10s %s\n", akin_verbs[i]->name, akin_verbs[i]->summary));
    AKIN_TRY(akin_text_append(text, "\nakin VERB --help shows the options of a verb. Under mpirun "
                                    "or srun every rank takes part.\n"
                                    "Exit status: 0 done, 1 failed, 2 usage, 3 input refused, "
                                    "4 gate refused, 75 interrupted.\n"
                                    "man akin has everything: job files, nights, publishing.\n"));
done:
    return status;
}

static akin_status help_of_verb(akin_text *text, const akin_verb *verb) {
    akin_status status = AKIN_OK;
    const char *arguments = verb->arguments ? verb->arguments : "";
    char *own = akin_options_help((const akin_option *const[]){verb->options, NULL});
    char *common = akin_options_help((const akin_option *const[]){akin_common_options, NULL});
    if (!own || !common) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_text_append(text, "usage: akin %s %s [--option value...]\n\n%s\n\n", verb->name,
                              arguments, verb->summary));
    if (verb->notes) AKIN_TRY(akin_text_append(text, "%s\n", verb->notes));
    if (*own) AKIN_TRY(akin_text_append(text, "Options:\n%s\n", own));
    AKIN_TRY(akin_text_append(text, "Options of every verb:\n%s", common));
done:
    akin_mem_free(own);
    akin_mem_free(common);
    return status;
}

static akin_status prepare_help(program *self, const akin_verb *verb) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    AKIN_TRY(verb ? help_of_verb(text, verb) : help_of_program(text));
    self->answer = akin_mem_text(akin_text_bytes(text));
    if (!self->answer) status = AKIN_FAILED;
done:
    akin_text_free(text);
    return status;
}

static akin_status prepare_version(program *self) {
    self->answer = akin_mem_text("akin " AKIN_VERSION "\n");
    return self->answer ? AKIN_OK : AKIN_FAILED;
}

/* --- from words to a call: local steps, the same on every rank --- */

/* No verb is similar: the message lists them all. */
static akin_status refuse_far(const char *word) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    for (size_t i = 0; akin_verbs[i]; i++)
        AKIN_TRY(akin_text_append(text, "%s%s",
                                  i == 0              ? ""
                                  : akin_verbs[i + 1] ? ", "
                                                      : " and ",
                                  akin_verbs[i]->name));
    status = akin_error_set(AKIN_USAGE, "unknown verb \"%s\"; the verbs are %s", word,
                            akin_text_bytes(text));
done:
    akin_text_free(text);
    return status;
}

static akin_status find_verb(const char *word, const akin_verb **verb) {
    const char *names[32] = {"help"};
    for (size_t i = 0; akin_verbs[i]; i++) names[i + 1] = akin_verbs[i]->name;
    *verb = akin_verb_find(word);
    if (*verb) return AKIN_OK;
    const char *nearest = akin_text_nearest(word, names);
    bool near = nearest && akin_text_is_near(word, nearest, 2);
    for (size_t i = 0; names[i] && !near; i++)
        if (strlen(word) > 1 && strncmp(names[i], word, strlen(word)) == 0)
            nearest = names[i], near = true;
    if (near)
        return akin_error_set(AKIN_USAGE, "unknown verb \"%s\"; did you mean \"%s\"?", word,
                              nearest);
    return refuse_far(word);
}

/* `akin help [VERB]` */
static akin_status understand_help(program *self) {
    const akin_verb *verb = NULL;
    akin_status status = AKIN_OK;
    if (self->count > 1 && self->words[1][0] != '-') status = find_verb(self->words[1], &verb);
    return status == AKIN_OK ? prepare_help(self, verb) : status;
}

static bool is_option_of(const char *word, size_t length, const akin_option *table) {
    for (; table->name; table++)
        if (strlen(table->name) == length && strncmp(table->name, word, length) == 0) return true;
    return false;
}

/* `akin run job.ini --epochs 3`: the option exists, but belongs in the job file. */
static akin_status refuse_stage_options(const program *self) {
    for (int i = 1; i < self->count && strcmp(self->words[i], "--") != 0; i++) {
        const char *name = self->words[i] + 2;
        size_t length = strcspn(self->words[i], "=") - 2;
        if (strncmp(self->words[i], "--", 2) != 0 ||
            is_option_of(name, length, akin_common_options) ||
            is_option_of(name, length, akin_verb_run.options))
            continue;
        for (const akin_jobfile_section *stage = akin_stage_sections(); stage->name; stage++)
            if (is_option_of(name, length, stage->tables[0]) ||
                (stage->argument_key && strlen(stage->argument_key) == length &&
                 strncmp(stage->argument_key, name, length) == 0))
                return akin_error_set(AKIN_USAGE,
                                      "unknown option --%.*s; it belongs in the job file: "
                                      "%.*s = ... in the section [%s]",
                                      (int)length, name, (int)length, name, stage->name);
    }
    return AKIN_OK;
}

static akin_status understand(program *self) {
    akin_status status = AKIN_OK;
    const char *first = self->count > 0 ? self->words[0] : "";
    if (strcmp(first, "help") == 0) return understand_help(self);
    if (*first && *first != '-') AKIN_TRY(find_verb(first, &self->verb));
    if (has_word(self, "--help") || has_word(self, "-h")) return prepare_help(self, self->verb);
    if (has_word(self, "--version")) return prepare_version(self);
    if (!*first) return akin_error_set(AKIN_USAGE, "no verb given");
    if (!self->verb)
        return akin_error_set(AKIN_USAGE, "the verb comes first: akin VERB [--option value...]");
    if (self->verb == &akin_verb_run) AKIN_TRY(refuse_stage_options(self));
    AKIN_TRY(akin_options_create(
        (const akin_option *const[]){self->verb->options, akin_common_options, NULL},
        &self->options));
    AKIN_TRY(akin_options_parse(self->options, self->count - 1, self->words + 1));
    AKIN_TRY(akin_call_check_arguments(self->verb, self->options));
    if (self->verb->check) AKIN_TRY(self->verb->check(self->options));
    AKIN_TRY(akin_cpu_force(akin_options_text(self->options, "cpu")));
    self->json = akin_options_flag(self->options, "json");
    AKIN_TRY(akin_call_create(self->comm, self->verb, self->options, !self->json, &self->call));
done:
    return status;
}

/* --- the answer --- */

/* The line of --json: the call's own, or one for words that never became a call. Rank 0 only. */
static akin_status make_line(program *self, akin_status outcome) {
    akin_status status = AKIN_OK;
    akin_json *report = NULL;
    int ranks = self->comm ? akin_comm_size(self->comm) : 1;
    if (!self->call.report) {
        AKIN_TRY(akin_report_create(verb_name(self), ranks, &report));
        if (self->answer) akin_json_set_text(report, "answer", self->answer);
    }
    akin_json *shown = report ? report : self->call.report;
    AKIN_TRY(akin_report_finish(shown, outcome, akin_comm_seconds() - self->start));
    AKIN_TRY(akin_json_check(shown));
    self->line = akin_json_print(shown, false);
    if (!self->line) status = AKIN_FAILED;
done:
    if (status != AKIN_OK) /* out of memory even for that */
        snprintf(self->scant, sizeof self->scant,
                 "{\"verb\":\"%s\",\"status\":\"failed\",\"exit\":%d,\"message\":\"no "
                 "memory\",\"ranks\":%d,\"seconds\":0,\"items\":0}",
                 self->verb ? self->verb->name : "", outcome == AKIN_OK ? status : outcome, ranks);
    akin_json_free(report);
    return status;
}

static void print_line(const program *self) {
    if (self->line || *self->scant) printf("%s\n", self->line ? self->line : self->scant);
}

static void print_failure(const program *self, akin_status outcome) {
    const char *name = self->verb ? self->verb->name : "", *blank = *name ? " " : "";
    const char *text = akin_error_message(), *end;
    for (; (end = strchr(text, '\n')); text = end + 1) /* one line for each mistake */
        fprintf(stderr, "akin%s%s: %.*s\n", blank, name, (int)(end - text), text);
    fprintf(stderr, "akin%s%s: %s\n", blank, name, text);
    if (outcome == AKIN_USAGE && self->count == 0)
        fprintf(stderr, "usage: akin VERB [ARGUMENT...] [--option value...]\n");
    if (outcome == AKIN_USAGE)
        fprintf(stderr, "akin%s%s: see akin%s%s --help\n", blank, name, blank, name);
}

/* Whether stdout is a pipe whose reader has ended: it has what it wants. */
static bool is_unread(void) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

static akin_status flush(const program *self, akin_status outcome) {
    if ((fflush(stdout) == 0 && !ferror(stdout)) || is_unread()) return AKIN_OK;
    akin_status status = akin_error_set(AKIN_FAILED, "cannot write to stdout");
    if (outcome == AKIN_OK) print_failure(self, status);
    return status;
}

/* Help and version end as other programs do whose output nobody reads any longer; a verb has done its
 * work, and a published night must not look failed. */
static void end_unread(void) {
    if (!ferror(stdout) || !is_unread()) return;
    (void)signal(SIGPIPE, SIG_DFL);
    (void)raise(SIGPIPE);
}

/* Rank 0 prints, except for the line of --json, which also reports the end of MPI; all ranks leave
 * with one status. Collective. */
static akin_status give_answer(program *self, akin_status outcome) {
    akin_status status = AKIN_OK;
    if (akin_comm_rank(self->comm) == 0) {
        if (outcome != AKIN_OK) print_failure(self, outcome);
        if (self->json)
            status = make_line(self, outcome);
        else if (outcome == AKIN_OK && self->answer)
            fputs(self->answer, stdout);
        if (status == AKIN_OK) status = flush(self, outcome);
    }
    status = akin_agree(self->comm, status);
    return outcome != AKIN_OK ? outcome : status;
}

/* --- a run that is aborted --- */

static program *ended; /* this process's program, for tell_abort */

/* An error on which the ranks cannot agree (a stall, a failed parallel write) is printed by the
 * rank that saw it; rank 0 prints the JSON line here too. */
static void tell_abort(akin_status status, int rank, const char *message) {
    if (rank > 0 && !ended->logging)
        fprintf(stderr, "akin: rank %d: %s\n", rank, message);
    else
        akin_log_error("%s", message);
    if (rank != 0 || !ended->json) return;
    akin_error_set(status, "%s", message);
    (void)!make_line(ended, status);
    print_line(ended);
}

/* The ranks of a run compute with the same kernels, and so the same bits, whatever CPU each has:
 * those of the lowest level. Before anything is computed. Collective. */
static void agree_on_cpu(const program *self) {
    int64_t most[2] = {(int64_t)akin_cpu_active(), -(int64_t)akin_cpu_active()};
    akin_comm_max_i64(self->comm, most, 2);
    const akin_cpu_level best = (akin_cpu_level)most[0], lowest = (akin_cpu_level)-most[1];
    akin_cpu_limit(lowest);
    if (lowest < best)
        akin_log_info(
            "ranks have several kinds of CPU, %s at best: all compute with the kernels for "
            "%s, which each has",
            akin_cpu_name(best), akin_cpu_name(lowest));
}

/* Of tasks that do not know each other one prints the line of --json, and all say what to do. */
static akin_status check_launch(program *self) {
    akin_status status = akin_comm_check_launch(self->comm);
    if (status != AKIN_OK) self->json = akin_comm_speaks_for_tasks() && self->json;
    return status;
}

static akin_status run_program(program *self) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_agree(self->comm, understand(self)));
    if (self->answer) goto done;
    AKIN_TRY(check_launch(self));
    akin_comm_stall_limit(self->comm, akin_options_real(self->options, "stall-limit"));
    akin_log_start(self->comm, akin_options_flag(self->options, "quiet"));
    self->logging = true;
    agree_on_cpu(self);
    if (self->verb->multiplies) AKIN_TRY(akin_agree(self->comm, akin_linalg_start()));
    status = akin_call_run(self->verb, &self->call);
    akin_log_progress_end();
    akin_log_stop();
done:
    return status;
}

/* Ends with NULL; NULL is fine. */
static void free_words(char **words) {
    for (char **word = words; word && *word; word++) akin_mem_free(*word);
    akin_mem_free(words);
}

/* A copy of the call's words, owned; passwords are then erased from the words of the process, which
 * everybody on the machine can read. If memory runs out the words are left as they are. */
static void take_words(program *self, int count, char **words) {
    self->count = count - 1;
    self->words = words + 1;
    char **own = akin_mem_zalloc((size_t)count + 1, sizeof *own);
    bool all = own != NULL;
    for (int i = 1; i < count && all; i++) all = (own[i - 1] = akin_mem_text(words[i])) != NULL;
    if (!all) {
        free_words(own);
        return;
    }
    for (int i = 1; i < count; i++) akin_secret_hide_address(words[i], strlen(words[i]) + 1);
    self->words = self->own_words = own;
}

/* Skips the libraries' exit handlers: OpenBLAS waits there for its threads, one of which never ends
 * if it got no memory. Runs before those, and after handlers registered later. A sanitizer looks
 * for leaks at exit, so it still gets its turn. */
static void leave_at_once(int code, void *starting) {
    /* MPI may end the process itself when it cannot start, with a code that means something else here. */
    if (code != 0 && *(const bool *)starting) code = AKIN_FAILED;
#ifndef __SANITIZE_ADDRESS__
    fflush(NULL);
    _exit(code);
#endif
    (void)code;
}

int main(int argc, char **argv) {
    static bool starting;
    (void)on_exit(leave_at_once, &starting);
    program self = {.start = akin_comm_seconds()};
    take_words(&self, argc, argv);
    self.json =
        has_word(&self, "--json") || has_word(&self, "--json=yes"); /* before anything can fail */
    ended = &self;
    akin_comm_on_abort(tell_abort);
    starting = true;
    akin_status status = akin_comm_start(&argc, &argv, &self.comm);
    starting = false;
    if (status != AKIN_OK) {
        fprintf(stderr, "akin: %s\n", akin_error_message());
        if (self.json && akin_comm_rank(self.comm) == 0) {
            (void)!make_line(&self, status);
            print_line(&self);
        }
        return status;
    }
    int rank = akin_comm_rank(self.comm);
    status = give_answer(&self, run_program(&self));
    akin_status of_all = status;
    akin_comm_broadcast(self.comm, &of_all, sizeof of_all, 0);
    akin_comm_finish(self.comm);
    akin_comm_on_abort(NULL);
    self.comm = NULL;
    if (rank == 0) print_line(&self);
    if (rank == 0 && flush(&self, status) != AKIN_OK && status == AKIN_OK) status = AKIN_FAILED;
    bool only_text = self.answer != NULL;
    akin_call_free(&self.call);
    akin_options_free(self.options);
    akin_mem_free(self.answer);
    akin_mem_free(self.line);
    free_words(self.own_words);
    if (rank == 0 && status == AKIN_OK && only_text) end_unread();
    /* mpirun ends all processes when one ends with a failure: rank 0 alone does, after its answer. */
    return rank > 0 && status == of_all ? AKIN_OK : status;
}
