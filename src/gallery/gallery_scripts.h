/* gallery_scripts: writes rows in scripts of some rows each, which the gallery's page loads when it
 * needs them. Not collective. */
#ifndef AKIN_GALLERY_SCRIPTS_H
#define AKIN_GALLERY_SCRIPTS_H

#include "gallery_folder.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/text.h>
#include <stddef.h>

typedef struct {
    akin_comm *comm; /* polled after each script */
    akin_gallery_folder *folder;
    const char *name;  /* "data/lists": script s is data/lists/000/00000s.js */
    size_t rows, part; /* rows of all scripts; rows per script, the last may have fewer */
    akin_text *text;   /* borrowed; emptied before each script */
    akin_status (*write)(void *context, size_t first, size_t count); /* appends rows to the text */
    void *context;
} akin_gallery_scripts;

/* Creates their folders. */
AKIN_MUST_CHECK akin_status akin_gallery_scripts_fan(const akin_gallery_scripts *scripts);

/* Writes scripts s = first, first + step, ... */
AKIN_MUST_CHECK akin_status akin_gallery_scripts_write(const akin_gallery_scripts *scripts,
                                                       size_t first, size_t step);

#endif
