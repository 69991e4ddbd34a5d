/* gallery_rejects: a file of rejects, grouped by reason. */
#ifndef AKIN_GALLERY_REJECTS_H
#define AKIN_GALLERY_REJECTS_H

#include <akin/error.h>
#include <akin/json.h>

/* {"total": 3, "reasons": [{"reason", "count", "examples": [id...]}...]} for a file of rejects,
 * the most frequent reason first; reasons that differ only in numbers are combined. Owned; NULL
 * if there is no such file. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_rejects(const char *path, akin_json **out);

#endif
