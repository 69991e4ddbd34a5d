/* product_pins: pins in lists between products. */
#include "product_pins.h"
#include "product_means.h"
#include <akin/mem.h>
#include <string.h>

/* Moves the pictures of the entries after the pins, as akin_item_pins_put moves the entries. */
static void move_behind_pins(const akin_item_pins *pins, size_t k, akin_product_lists *lists) {
    for (size_t i = 0; i < lists->count; i++) {
        size_t count, kept = 0;
        const int32_t *first = akin_item_pins_of(pins, i, &count);
        int32_t *picture = lists->picture + i * k, *other = lists->other + i * k;
        if (count == 0) continue;
        for (size_t e = 0; e < (size_t)lists->held[i] && kept + count < k; e++) {
            bool again = false;
            for (size_t p = 0; p < count; p++) again |= first[p] == lists->neighbor[i * k + e];
            if (!again) picture[kept] = picture[e], other[kept++] = other[e];
        }
        memmove(picture + count, picture, kept * sizeof *picture);
        memmove(other + count, other, kept * sizeof *other);
        for (size_t e = count + kept; e < k; e++) picture[e] = other[e] = -1;
    }
}

akin_status akin_product_pins_put(akin_comm *comm, const akin_vectors *vectors,
                                  const akin_products *products, const akin_item_pins *pins,
                                  size_t k, akin_product_lists *lists, int32_t **pinned) {
    *pinned = akin_mem_alloc(lists->count, sizeof **pinned);
    akin_status status = akin_agree(comm, *pinned ? AKIN_OK : AKIN_FAILED);
    if (status != AKIN_OK) return status;
    move_behind_pins(pins, k, lists);
    akin_item_pins_put(pins, lists->count, k, lists->neighbor, lists->score, lists->held, *pinned);
    return akin_product_means_pictures(comm, vectors, products, k, *pinned, lists);
}
