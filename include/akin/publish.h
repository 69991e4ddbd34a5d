/* publish: export a table to where a storefront reads it, and put the previous one back.
 *
 * Floor 3 (stages); looks down to error, mem, comm, log, labels, table; within its floor to sink and its modules.
 */
#ifndef AKIN_PUBLISH_H
#define AKIN_PUBLISH_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <akin/sink.h>
#include <stddef.h>

typedef struct {
    const char *table; /* path of table.nc */
    const char *const *urls;
    size_t url_count;
} akin_publish_params;

typedef struct {
    size_t items;
    char table_digest[AKIN_HASH_TEXT_SIZE];
} akin_publish_result;

/* Whether each URL names a sink and a form that it knows, and none is named twice: AKIN_USAGE. Touches nothing. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_publish_check(const char *const *urls, size_t url_count);

/* Publishes to all URLs, or, where one cannot be had, to none; published [url_count]. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_publish(akin_comm *comm, const akin_publish_params *params, akin_published *published,
                                         akin_publish_result *result);

/* Puts the previously published table back at every URL, or, where one has none, at none. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_rollback(akin_comm *comm, const char *const *urls, size_t url_count);

#endif
