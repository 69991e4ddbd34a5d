/* source_folder: a catalogue that is a folder of pictures.
 *
 * Floor 2 (data); looks down to error, mem, text, file, source_list. Not collective.
 */
#ifndef AKIN_SOURCE_FOLDER_H
#define AKIN_SOURCE_FOLDER_H

#include <akin/error.h>
#include <akin/source_list.h>

/* Adds a row for every file below the folder, in the order of their names: id and path = the path below it, category =
 * the folder of that. Links are followed while they stay below; a link that leads nowhere or outside, and what is no
 * file, is a row with that reason. A link to a folder that it lies in is passed over: all in there is listed already.
 */
AKIN_MUST_CHECK akin_status akin_source_folder_list(const char *path, akin_source_list *list);

#endif
