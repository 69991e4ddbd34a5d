/* gallery_map: small catalogues are on the map whole, large ones with more items, and never too many. */
#include "gallery/gallery_map.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void larger_catalogues_have_more_places(void **unused) {
    (void)unused;
    size_t before = 0;
    for (size_t items = 0; items < 10000000; items += 1 + items / 50) {
        size_t places = akin_gallery_map_places(items);
        assert_true(places >= before && places <= items && places <= AKIN_GALLERY_PLACED_MOST);
        assert_true(items > AKIN_GALLERY_PLACED || places == items);
        before = places;
    }
    assert_true(akin_gallery_map_places(44000) > 2 * AKIN_GALLERY_PLACED);
    assert_true(before == AKIN_GALLERY_PLACED_MOST && before < AKIN_GALLERY_SAMPLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(larger_catalogues_have_more_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
