/* decoder_process: decoding in a process of its own gives what decoding here gives; a decoder that
 * crashes, exits, never ends, takes too much memory or talks nonsense costs one picture and leaves
 * the next one alone; one that is killed is started again. */
#include "ingest/decoder_process.h"
#include "ingest/image_formats.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <libheif/heif.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 32, BYTES = SIDE * SIDE * 3, SEEN = 40 };

/* --- what the decoder, which is this program too, does with a HEIC: the order in a file --- */

#define ORDER "AKIN_TEST_ORDER"

static void give(const char *order) {
    FILE *file = fopen(getenv(ORDER), "w");
    if (!file || fputs(order, file) < 0 || fclose(file) != 0) abort();
}

static bool is_asked_to(const char *what) {
    char order[32] = "";
    FILE *file = fopen(getenv(ORDER), "r");
    if (file && !fgets(order, sizeof order, file)) order[0] = '\0';
    if (file) fclose(file);
    return strcmp(order, what) == 0;
}

__attribute__((constructor(1000))) static void not_start(void) {
    if (getenv(ORDER) && is_asked_to("not start")) _exit(127);
}

static void never_end(void) {
    const struct rlimit second = {1, RLIM_INFINITY};
    setrlimit(RLIMIT_CPU, &second);
    for (volatile int i = 0;; i = i ^ 1) {
    }
}

static struct heif_error take_memory(void) {
    enum { STEP = 16 << 20 };
    while (mmap(NULL, STEP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED) {
    }
    return (struct heif_error){heif_error_Memory_allocation_error, heif_suberror_Unspecified, "no"};
}

struct heif_error __real_heif_decode_image(const struct heif_image_handle *handle,
                                           struct heif_image **image,
                                           enum heif_colorspace colorspace, enum heif_chroma chroma,
                                           const struct heif_decoding_options *options);
struct heif_error __wrap_heif_decode_image(const struct heif_image_handle *handle,
                                           struct heif_image **image,
                                           enum heif_colorspace colorspace, enum heif_chroma chroma,
                                           const struct heif_decoding_options *options);

struct heif_error __wrap_heif_decode_image(const struct heif_image_handle *handle,
                                           struct heif_image **image,
                                           enum heif_colorspace colorspace, enum heif_chroma chroma,
                                           const struct heif_decoding_options *options) {
    if (is_asked_to("crash")) signal(SIGSEGV, SIG_DFL), raise(SIGSEGV);
    if (is_asked_to("abort")) abort();
    if (is_asked_to("exit")) _exit(3);
    if (is_asked_to("never end")) never_end();
    if (is_asked_to("take memory")) return take_memory();
    if (is_asked_to("nonsense")) {
        char nonsense[10000];
        memset(nonsense, 99, sizeof nonsense);
        if (send(3, nonsense, sizeof nonsense, MSG_NOSIGNAL) < 0) abort();
    }
    if (is_asked_to("be killed")) kill(getpid(), SIGKILL);
    if (is_asked_to("be killed once")) give(""), kill(getpid(), SIGKILL);
    return __real_heif_decode_image(handle, image, colorspace, chroma, options);
}

/* --- the tests --- */

static const char *fixture(const char *name) {
    static char path[4096];
    const char *source = getenv("AKIN_SOURCE");
    snprintf(path, sizeof path, "%s/tests/fixtures/images/%s", source ? source : "..", name);
    return path;
}

typedef struct {
    uint8_t *bytes;
    size_t count;
} file;

static file read_fixture(const char *name) {
    file f;
    if (akin_file_read(fixture(name), (size_t)1 << 30, &f.bytes, &f.count) != AKIN_OK)
        fail_msg("%s", akin_error_message());
    return f;
}

static const akin_image_params small = {SIDE, SIDE, AKIN_FIT_PAD, AKIN_IMAGE_MAX_PIXELS};
static const akin_image_view view = {SEEN, SEEN, SEEN, 0, AKIN_IMAGE_BICUBIC};

static void check_refused(const char *order, akin_status expected, const char *reason) {
    uint8_t rgb[BYTES];
    akin_image_result result = {.rgb = rgb};
    file f = read_fixture("plain.heic");
    give(order);
    assert_int_equal(akin_decoder_process_decode(f.bytes, f.count, &small, NULL, &result),
                     expected);
    if (!strstr(akin_error_message(), reason)) fail_msg("%s: %s", order, akin_error_message());
    akin_mem_free(f.bytes);
}

/* With a view, which may be NULL. Both results, made here and in the process, are the same. */
static void check_same(const char *name, const akin_image_view *asked) {
    uint8_t rgb[2][BYTES] = {{0}}, seen[2][SEEN * SEEN * 3] = {{0}};
    akin_image_result here = {.rgb = rgb[0], .seen = seen[0]},
                      there = {.rgb = rgb[1], .seen = seen[1]};
    char reason[AKIN_ERROR_SIZE];
    file f = read_fixture(name);
    uint64_t before = akin_image_broken_profiles();
    akin_status status = akin_image_decode_here(f.bytes, f.count, &small, asked, &here);
    uint64_t broken = akin_image_broken_profiles() - before;
    snprintf(reason, sizeof reason, "%s", akin_error_message());
    if (akin_decoder_process_decode(f.bytes, f.count, &small, asked, &there) != status)
        fail_msg("%s: %s", name, akin_error_message());
    if (status == AKIN_OK) {
        assert_memory_equal(rgb[0], rgb[1], BYTES);
        assert_memory_equal(seen[0], seen[1], asked ? sizeof seen[0] : 0);
        assert_int_equal(there.width, SIDE);
        assert_int_equal(there.height, SIDE);
    } else {
        assert_string_equal(akin_error_message(), reason);
    }
    assert_int_equal(akin_image_broken_profiles() - before, 2 * broken);
    akin_mem_free(f.bytes);
}

static void gives_what_decoding_here_gives(void **unused) {
    (void)unused;
    static const char *const names[] = {
        "plain.heic",  "ten_bits.avif", "grid.heic",       "cut.avif",          "bomb.heic",
        "lzw.tif",     "adobe.tif",     "profile_cut.tif", "profile_words.tif", "cut_jpeg.tif",
        "palette.bmp", "claims.bmp",    "clear.gif",       "cut_in_header.gif"};
    give("");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check_same(names[i], NULL);
        check_same(names[i], &view);
    }
}

static void a_thumbnail_has_its_own_size(void **unused) {
    (void)unused;
    uint8_t *rgb;
    size_t width, height;
    file f = read_fixture("grid.heic"); /* 100 x 120 */
    give("");
    assert_int_equal(
        akin_image_thumbnail(f.bytes, f.count, 60, AKIN_IMAGE_MAX_PIXELS, &rgb, &width, &height),
        AKIN_OK);
    assert_int_equal(width, 50);
    assert_int_equal(height, 60);
    akin_mem_free(rgb);
    give("crash");
    assert_int_equal(
        akin_image_thumbnail(f.bytes, f.count, 60, AKIN_IMAGE_MAX_PIXELS, &rgb, &width, &height),
        AKIN_INPUT);
    assert_null(rgb);
    akin_mem_free(f.bytes);
}

static void a_bad_picture_costs_itself(void **unused) {
    (void)unused;
    static const struct {
        const char *order;
        akin_status status;
        const char *reason;
    } cases[] = {{"crash", AKIN_INPUT, "decoder crashed"},
                 {"abort", AKIN_INPUT, "decoder crashed"},
                 {"exit", AKIN_INPUT, "exit status 3"},
                 {"never end", AKIN_INPUT, "did not come to an end"},
                 {"take memory", AKIN_INPUT, "more memory than"},
                 {"nonsense", AKIN_INPUT, "gave no picture"},
                 {"be killed", AKIN_FAILED, "enough memory?"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_refused(cases[i].order, cases[i].status, cases[i].reason);
        give("");
        check_same("plain.heic", &view);
    }
}

static void one_that_is_killed_is_started_again(void **unused) {
    (void)unused;
    uint8_t rgb[2][BYTES];
    akin_image_result result[2] = {{.rgb = rgb[0]}, {.rgb = rgb[1]}};
    file f = read_fixture("plain.heic");
    give("");
    assert_int_equal(akin_decoder_process_decode(f.bytes, f.count, &small, NULL, &result[0]),
                     AKIN_OK);
    give("be killed once");
    assert_int_equal(akin_decoder_process_decode(f.bytes, f.count, &small, NULL, &result[1]),
                     AKIN_OK);
    assert_memory_equal(rgb[0], rgb[1], BYTES);
    akin_mem_free(f.bytes);
}

static void its_end_is_known_where_nobody_wants_to_know(void **unused) {
    (void)unused;
    check_refused("crash", AKIN_INPUT, "decoder crashed");
    signal(SIGCHLD, SIG_IGN);
    check_refused("be killed", AKIN_FAILED, "enough memory?");
    check_refused("crash", AKIN_INPUT, "decoder crashed");
}

/* As where its libraries find no memory. */
static void a_process_that_cannot_start_is_not_blamed_on_the_picture(void **unused) {
    (void)unused;
    check_refused("crash", AKIN_INPUT, "decoder crashed");
    check_refused("not start", AKIN_FAILED, "cannot start a process");
    give("");
    check_same("plain.heic", &view);
}

static void every_allocation_may_fail(void **unused) {
    (void)unused;
    file f = read_fixture("plain.heic");
    size_t failures = 0;
    check_refused("crash", AKIN_INPUT, "crashed"); /* so that it is started again */
    give("");
    for (uint64_t n = 1;; n++) {
        akin_image_result result = {.rgb = NULL};
        akin_mem_fail_at(n);
        akin_status status = akin_decoder_process_decode(f.bytes, f.count, &small, NULL, &result);
        akin_mem_fail_at(0);
        akin_mem_free(result.rgb);
        if (status == AKIN_OK) break;
        assert_int_equal(status, AKIN_FAILED);
        assert_null(result.rgb);
        failures++;
    }
    assert_int_equal(failures, 2);
    akin_mem_free(f.bytes);
}

int main(void) {
    char order[] = "/tmp/akin_order_XXXXXX";
    int fd = mkstemp(order);
    if (fd < 0 || setenv(ORDER, order, 1) != 0) return 1;
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_decoding_here_gives),
        cmocka_unit_test(a_thumbnail_has_its_own_size),
        cmocka_unit_test(a_bad_picture_costs_itself),
        cmocka_unit_test(one_that_is_killed_is_started_again),
        cmocka_unit_test(its_end_is_known_where_nobody_wants_to_know),
        cmocka_unit_test(a_process_that_cannot_start_is_not_blamed_on_the_picture),
        cmocka_unit_test(every_allocation_may_fail),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(order);
    return failed;
}
