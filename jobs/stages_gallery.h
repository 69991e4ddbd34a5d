/* stages_gallery: the options of the gallery of a run that the run knows: pages for its tables, the sources of
 * its pictures, and those of another catalogue that a table is made against. */
#ifndef AKIN_STAGES_GALLERY_H
#define AKIN_STAGES_GALLERY_H

#include "stages.h"

/* Sets those that are not given. Not collective. */
AKIN_MUST_CHECK akin_status akin_stages_settle_gallery(const akin_stage_setting *setting,
                                                       akin_options *options);

/* Whether the gallery has no page for the table of this section: one between products of two catalogues. Not
 * collective. */
bool akin_stages_gallery_lacks(const akin_jobfile *job, const char *section);

#endif
