/* source_folder: the files below a folder, in ascending order of their names. Not collective.
 *
 * Links are followed while they stay below the folder; one that leads out, or to nothing, is a row
 * with its reason. A link to a folder that it lies in itself would never end: it is left out, since
 * all that it leads to is there anyway.
 */
#ifndef AKIN_SOURCE_FOLDER_H
#define AKIN_SOURCE_FOLDER_H

#include "source_list.h"
#include <akin/error.h>

/* Appends a row for every file: id = path below the folder, category = the path of its folder. */
AKIN_MUST_CHECK akin_status akin_source_folder_list(const char *path, akin_source_list *rows);

#endif
