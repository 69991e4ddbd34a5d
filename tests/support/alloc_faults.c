/* Runs one verb repeatedly in one process (or one mpirun): first as it is, then with its first
 * allocation failing, then its second, and so on to the last; with --reads 1 its reads instead,
 * some of which are retried. Each time it must exit with 1 and a message, or succeed (if the memory
 * was for something optional), with all of its memory freed, and the next run must not be affected.
 * Called by long_alloc_faults.py, which chooses the verb and checks the files; --rank R: only that
 * rank's allocations fail.
 *
 * usage: alloc_faults [--reads 1] [--rank R] [--every N] [--from K] [--fresh FOLDER, removed each
 * time] VERB [ARGUMENT...] */
#include "jobs/call.h"
#include <akin/comm.h>
#include <akin/cpu.h>
#include <akin/fault.h>
#include <akin/file.h>
#include <akin/linalg.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

static akin_comm *comm;
static const char *fresh; /* a folder, or NULL */
static bool reads;

static _Noreturn void wrong(uint64_t k, const char *what) {
    fprintf(stderr, "%s %llu fails on rank %d: %s: %s\n", reads ? "read" : "allocation",
            (unsigned long long)k, akin_comm_rank(comm), what, akin_error_message());
    akin_comm_abort(comm, AKIN_FAILED, "%s", what);
}

/* The number of the failing one, for a caller that continues after all ranks have ended. */
static void write_place(uint64_t k) {
    FILE *file = akin_comm_rank(comm) == 0 ? fopen("faults.k", "w") : NULL;
    if (!file) return;
    fprintf(file, "%llu\n", (unsigned long long)k);
    fclose(file);
}

static void fail_at(uint64_t k) {
    reads ? akin_fault_fail_at(k) : akin_mem_fail_at(k);
}

static uint64_t calls_so_far(void) {
    return reads ? akin_fault_reads() : akin_mem_calls();
}

/* As main does it. */
static akin_status once(int count, char **words, uint64_t k) {
    akin_status status = AKIN_OK;
    akin_options *options = NULL;
    akin_call call = {0};
    const akin_verb *verb = akin_verb_find(words[0]);
    if (fresh && akin_agree(comm, akin_comm_rank(comm) == 0 ? akin_file_remove_tree(fresh)
                                                            : AKIN_OK) != AKIN_OK)
        wrong(k, "the folder cannot be removed");
    akin_error_clear();
    fail_at(k);
    AKIN_TRY(akin_agree(
        comm,
        akin_options_create((const akin_option *const[]){verb->options, akin_common_options, NULL},
                            &options)));
    AKIN_TRY(akin_agree(comm, akin_options_parse(options, count - 1, words + 1)));
    AKIN_TRY(akin_agree(comm, verb->check ? verb->check(options) : AKIN_OK));
    AKIN_TRY(akin_agree(comm, akin_call_create(comm, verb, options, false, &call)));
    status = akin_call_run(verb, &call);
done:
    fail_at(0);
    akin_call_free(&call);
    akin_options_free(options);
    return status;
}

int main(int argc, char **argv) {
    int at = 1, only = -1;
    uint64_t every = 1, from = 1, failed = 0, survived = 0;
#ifdef __SANITIZE_ADDRESS__
    __lsan_disable(); /* memory kept by MPI is not ours */
#endif
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
#ifdef __SANITIZE_ADDRESS__
    __lsan_enable();
#endif
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--reads") == 0) reads = true;
        if (strcmp(argv[at], "--rank") == 0) only = atoi(argv[at + 1]);
        if (strcmp(argv[at], "--from") == 0) from = strtoull(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--fresh") == 0) fresh = argv[at + 1];
        if (strcmp(argv[at], "--every") == 0) every = strtoull(argv[at + 1], NULL, 10);
    }
    bool fails_here = only < 0 || only == akin_comm_rank(comm);
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    akin_log_start(comm, true);
    if (once(argc - at, argv + at, 0) != AKIN_OK) wrong(0, "it fails without a fault");
    uint64_t before = calls_so_far(), live = akin_mem_live();
    if (once(argc - at, argv + at, 0) != AKIN_OK) wrong(0, "it fails the second time");
    int64_t calls = fails_here ? (int64_t)(calls_so_far() - before) : 0;
    akin_comm_max_i64(comm, &calls, 1);
    if (akin_mem_live() != live) wrong(0, "blocks are not given back");
    for (uint64_t k = from; k <= (uint64_t)calls; k += every) {
        write_place(k);
        akin_status status = once(argc - at, argv + at, fails_here ? k : 0);
        if (status != AKIN_OK && status != AKIN_FAILED) wrong(k, "another status than 1");
        if (status == AKIN_FAILED && !*akin_error_message()) wrong(k, "no message");
        if (akin_mem_live() != live) wrong(k, "blocks are not given back");
        status == AKIN_OK ? survived++ : failed++;
    }
    if (once(argc - at, argv + at, 0) != AKIN_OK) wrong(0, "it fails after all faults");
#ifdef __SANITIZE_ADDRESS__
    if (getenv("AKIN_LEAKS") && __lsan_do_recoverable_leak_check())
        wrong(0, "LeakSanitizer found a leak");
#endif
    if (akin_comm_rank(comm) == 0)
        printf("%s: %lld %s, %llu failed cleanly, %llu could be done without\n", argv[at],
               (long long)calls, reads ? "reads" : "allocations", (unsigned long long)failed,
               (unsigned long long)survived);
    akin_log_stop();
    akin_comm_finish(comm);
    return 0;
}
