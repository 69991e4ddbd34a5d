/* image_heif: where libheif has no decoder for a picture, the message says so, and not that the
 * picture is damaged. This program's decoding function takes the place of libheif's. */
#include "ingest/image_formats.h"
#include <akin/file.h>
#include <akin/image.h>
#include <akin/mem.h>
#include <libheif/heif.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct heif_error answer;

struct heif_error heif_decode_image(const struct heif_image_handle *handle,
                                    struct heif_image **image, enum heif_colorspace colorspace,
                                    enum heif_chroma chroma,
                                    const struct heif_decoding_options *options) {
    (void)handle, (void)colorspace, (void)chroma, (void)options;
    *image = NULL;
    return answer;
}

static void check(const char *name, int code, int subcode, const char *said) {
    char path[4096];
    uint8_t *bytes, rgb[32 * 32 * 3];
    size_t count;
    const char *source = getenv("AKIN_SOURCE");
    akin_image_params params = {32, 32, AKIN_FIT_PAD, AKIN_IMAGE_MAX_PIXELS};
    akin_image_result result = {.rgb = rgb};
    snprintf(path, sizeof path, "%s/tests/fixtures/images/%s", source ? source : "..", name);
    assert_int_equal(akin_file_read(path, (size_t)1 << 30, &bytes, &count), AKIN_OK);
    answer =
        (struct heif_error){(enum heif_error_code)code, (enum heif_suberror_code)subcode, "no"};
    assert_int_equal(akin_image_decode_here(bytes, count, &params, NULL, &result), AKIN_INPUT);
    if (!strstr(akin_error_message(), said))
        fail_msg("%s, error %d.%d: %s", name, code, subcode, akin_error_message());
    akin_mem_free(bytes);
}

static void a_missing_decoder_is_no_damage(void **unused) {
    (void)unused;
    static const char *const names[] = {"plain.heic", "plain.avif"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        check(names[i], heif_error_Unsupported_feature, heif_suberror_Unsupported_codec,
              "no decoder");
        check(names[i], 11, 6003, "no decoder"); /* libheif 1.17 and newer */
        check(names[i], heif_error_Decoder_plugin_error, heif_suberror_Unspecified, "damaged");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_missing_decoder_is_no_damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
