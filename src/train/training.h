/* training: one run of `train`, which training_begin.c prepares and train.c takes to its end. */
#ifndef AKIN_TRAINING_H
#define AKIN_TRAINING_H

#include "checkpoint.h"
#include "sampler.h"
#include "schedule.h"
#include "step.h"
#include "worker.h"
#include <akin/catalog.h>
#include <akin/network.h>
#include <akin/text.h>
#include <akin/train.h>

typedef struct {
    akin_comm *comm;
    const akin_train_params *params;
    akin_catalog *catalog;
    akin_sampler sampler;
    akin_network *network;
    akin_model *model, *init; /* init: NULL without --init */
    akin_worker *worker;
    akin_step *step;
    akin_saver *saver;
    akin_checkpoint_origin origin;
    akin_text *checkpoint_name;
    akin_history history;
    size_t steps; /* of the run, unless its patience ends it */
    akin_schedule schedule;
    double saved_at; /* clock of the last checkpoint */
    double told_at;  /* clock of the last line about an epoch */
    double seconds;  /* in steps */
    double images;   /* in these seconds */
    double waiting;  /* seconds of them in which this rank waited for others */
    double reading;  /* and for pictures */
    double saving;   /* seconds in which the steps waited for checkpoints */
} akin_training;

/* Opens the catalogue and prepares the first step. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_training_begin(akin_training *run);
/* What a run without a network needs too. Not collective. */
AKIN_MUST_CHECK akin_status akin_training_allocate(akin_training *run);

bool akin_training_is_contrastive(const akin_training *run);

#endif
