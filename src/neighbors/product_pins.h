/* product_pins: pins in lists between products. */
#ifndef AKIN_PRODUCT_PINS_H
#define AKIN_PRODUCT_PINS_H

#include "item_pins.h"
#include "products.h"

/* Puts the pins first in the lists, each with its two most similar pictures and their cosine;
 * *pinned [count of the lists], owned: the number of pins. vectors: of the pictures. Collective;
 * agreed; same k. */
AKIN_MUST_CHECK akin_status akin_product_pins_put(akin_comm *comm, const akin_vectors *vectors,
                                                  const akin_products *products,
                                                  const akin_item_pins *pins, size_t k,
                                                  akin_product_lists *lists, int32_t **pinned);

#endif
