/* fetch_round: one round of a download run: which address is requested at which URL, the same
 * list on all ranks; the target of a redirect is part of the next round. Not collective unless
 * stated. */
#ifndef AKIN_FETCH_ROUND_H
#define AKIN_FETCH_ROUND_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t count;
    size_t *of;       /* [count] the number of the address */
    const char **url; /* [count] where it is requested */
    uint64_t *host;   /* [count] a number for each host */
    void *block;      /* what they point into */
} akin_fetch_round;

/* A growing list: entries of number and URL. */
typedef struct {
    char *bytes;
    size_t used, room;
} akin_fetch_list;

/* Characters that an address must not contain literally (blanks, letters beyond ASCII) are
 * written as %XX. */
AKIN_MUST_CHECK akin_status akin_fetch_list_add(akin_fetch_list *list, size_t of, const char *head,
                                                const char *url);
void akin_fetch_list_free(akin_fetch_list *list);

/* Combines the lists of all ranks, or takes this one if all ranks have the same. Empties it.
 * Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_fetch_round_make(akin_comm *comm, akin_fetch_list *list,
                                                  bool same_everywhere, akin_fetch_round *out);
void akin_fetch_round_free(akin_fetch_round *round);

#endif
