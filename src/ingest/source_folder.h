/* source_folder: the files in a folder and its subfolders, in ascending order of their names.
 * Not collective. Links are followed while they stay inside the folder; one that leads outside,
 * or nowhere, is a row with its reason. A link to a folder that contains it would never end: it
 * is left out, since everything it leads to is listed anyway. */
#ifndef AKIN_SOURCE_FOLDER_H
#define AKIN_SOURCE_FOLDER_H

#include "source_list.h"
#include <akin/error.h>

/* Appends a row for every file: id = path relative to the folder, category = the path of its
 * folder. */
AKIN_MUST_CHECK akin_status akin_source_folder_list(const char *path, akin_source_list *rows);

#endif
