/* picture_cache: a folder that keeps what was fetched from addresses, and what is known of each:
 * with which ETag it came, or why it could not be had. Not collective; several processes may use
 * one folder at a time.
 *
 * A picture is DIR/ab/abcd..., the digits of its address's XXH3-128, its record the same name with
 * .json. What the record does not confirm (cut short, altered, half written) counts as not there.
 */
#ifndef AKIN_PICTURE_CACHE_H
#define AKIN_PICTURE_CACHE_H

#include "source_file.h"
#include <akin/error.h>
#include <akin/hash.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_CACHE_TEXT_SIZE = 1024 };

typedef struct {
    bool has_picture;
    char etag[AKIN_CACHE_TEXT_SIZE], last_modified[AKIN_CACHE_TEXT_SIZE]; /* "" = none */
    char failure[AKIN_CACHE_TEXT_SIZE]; /* why the last try came to nothing; "" = it went well */
    char digest[AKIN_HASH_TEXT_SIZE];   /* XXH3-128 of the picture's bytes; "" = no picture */
    size_t count;                       /* bytes of the picture */
    int64_t session;                    /* the last in which it was asked for and had */
} akin_cached;

typedef struct akin_picture_cache akin_picture_cache;

/* create: makes the folder where it is missing; else a missing one is AKIN_FAILED. */
AKIN_MUST_CHECK akin_status akin_picture_cache_open(const char *folder, bool create,
                                                    akin_picture_cache **out);
void akin_picture_cache_close(akin_picture_cache *cache); /* NULL is fine */

/* What is known of the address: all empty where that is nothing. A picture's size is checked. */
AKIN_MUST_CHECK akin_status akin_picture_cache_find(const akin_picture_cache *cache,
                                                    const char *address, akin_cached *out);
/* Keeps the bytes and a record of them: etag, last_modified and session of `about`. */
AKIN_MUST_CHECK akin_status akin_picture_cache_keep(const akin_picture_cache *cache,
                                                    const char *address, const uint8_t *bytes,
                                                    size_t count, const akin_cached *about);
/* Writes the record alone; a picture that it no longer speaks of is removed. */
AKIN_MUST_CHECK akin_status akin_picture_cache_note(const akin_picture_cache *cache,
                                                    const char *address, const akin_cached *about);
/* The picture. AKIN_INPUT: there is none, and the message is the reason. */
AKIN_MUST_CHECK akin_status akin_picture_cache_read(const akin_picture_cache *cache,
                                                    const char *address, akin_source_bytes *out);

/* A fetch that leaves failures behind goes on in the same session, where what was had is not asked
 * for again; behind one that was complete, or that began more than `fresh` seconds ago, a new
 * session begins. For one process at a time. */
AKIN_MUST_CHECK akin_status akin_picture_cache_begin(const akin_picture_cache *cache, double fresh,
                                                     int64_t *session);
AKIN_MUST_CHECK akin_status akin_picture_cache_complete(const akin_picture_cache *cache,
                                                        int64_t session);
/* Whether the last session was complete less than `fresh` seconds ago. */
bool akin_picture_cache_is_recent(const akin_picture_cache *cache, double fresh);

#endif
