/* picture_cache: a folder with downloaded pictures, and a record for each address: with which
 * ETag it came, or why it is not available. Not collective; several processes may use one folder
 * at a time. A picture is DIR/ab/abcd..., the digits of its address's XXH3-128; its record has
 * the same name with .json. A picture that does not match its record (truncated, altered, half
 * written) counts as missing. */
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
    char failure[AKIN_CACHE_TEXT_SIZE]; /* why the last attempt failed; "" = it succeeded */
    char digest[AKIN_HASH_TEXT_SIZE];   /* XXH3-128 of the picture's bytes; "" = no picture */
    size_t count;                       /* bytes of the picture */
    int64_t session;                    /* the last one in which it was requested successfully */
} akin_cached;

typedef struct akin_picture_cache akin_picture_cache;

/* create: creates the folder if missing; otherwise a missing one is AKIN_FAILED. */
AKIN_MUST_CHECK akin_status akin_picture_cache_open(const char *folder, bool create,
                                                    akin_picture_cache **out);
void akin_picture_cache_close(akin_picture_cache *cache); /* NULL is fine */

/* The record of the address: all empty if there is none. A picture's size is checked. */
AKIN_MUST_CHECK akin_status akin_picture_cache_find(const akin_picture_cache *cache,
                                                    const char *address, akin_cached *out);
/* Stores the bytes and their record: etag, last_modified and session of `about`. */
AKIN_MUST_CHECK akin_status akin_picture_cache_keep(const akin_picture_cache *cache,
                                                    const char *address, const uint8_t *bytes,
                                                    size_t count, const akin_cached *about);
/* Writes only the record; a picture that it no longer mentions is removed. */
AKIN_MUST_CHECK akin_status akin_picture_cache_note(const akin_picture_cache *cache,
                                                    const char *address, const akin_cached *about);
/* The picture. AKIN_INPUT: there is none, and the message is the reason. */
AKIN_MUST_CHECK akin_status akin_picture_cache_read(const akin_picture_cache *cache,
                                                    const char *address, akin_source_bytes *out);

/* A run that leaves failures behind is continued in the same session, in which completed
 * downloads are not requested again; after a complete one, or one that began more than `fresh`
 * seconds ago, a new session begins. For one process at a time. */
AKIN_MUST_CHECK akin_status akin_picture_cache_begin(const akin_picture_cache *cache, double fresh,
                                                     int64_t *session);
AKIN_MUST_CHECK akin_status akin_picture_cache_complete(const akin_picture_cache *cache,
                                                        int64_t session);
/* Whether the last session was completed less than `fresh` seconds ago. */
bool akin_picture_cache_is_recent(const akin_picture_cache *cache, double fresh);

#endif
