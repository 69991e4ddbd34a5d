/* source_tar: a catalogue in a tar archive, compressed or not; the one module with <archive.h>.
 *
 * Floor 2 (data); looks down to error, mem, text, source_list. Not collective.
 *
 * A member never leads outside of its archive: names that are absolute or hold "..", and links out of it, are refused
 * rows.
 */
#ifndef AKIN_SOURCE_TAR_H
#define AKIN_SOURCE_TAR_H

#include <akin/error.h>
#include <akin/source_list.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the file begins as a tar archive does, below any compression. */
bool akin_source_tar_matches(const char *path);

/* Adds a row for every member that is no folder: id and path = its name, category = the folder of that, member = the
 * number of the entry that holds its bytes (for a link, that of its target). Damaged or cut: AKIN_INPUT. */
AKIN_MUST_CHECK akin_status akin_source_tar_list(const char *path, akin_source_list *list);

/* Called for an entry that is wanted: its bytes, borrowed, or NULL and the reason. */
typedef akin_status (*akin_source_tar_member)(void *context, int64_t member, const uint8_t *bytes, size_t count,
                                              const char *reason);

/* Reads from front to back and gives the members [member_count], ascending, each once; none larger than `limit` bytes.
 */
AKIN_MUST_CHECK akin_status akin_source_tar_read(const char *path, const int64_t *members, size_t member_count,
                                                 size_t limit, akin_source_tar_member each, void *context);

#endif
