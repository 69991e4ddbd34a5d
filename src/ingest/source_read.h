/* source_read: the bytes of the rows of a list, from files, archives and the cache. Not collective. */
#ifndef AKIN_SOURCE_READ_H
#define AKIN_SOURCE_READ_H

#include "picture_cache.h"
#include "source_list.h"
#include <akin/error.h>
#include <akin/source.h>

/* akin_source_read_chosen for the rows of a list; cache NULL: none. */
AKIN_MUST_CHECK akin_status akin_source_list_read(const akin_source_list *rows,
                                                  akin_picture_cache *cache,
                                                  akin_source_choice wanted,
                                                  akin_source_picture each, void *context);

#endif
