/* plan: predicts memory, bytes and time of a night of a given size on other machines. Pure
 * arithmetic and a simulation of the schedule; not collective. Seconds come from rates of one core
 * (the defaults were measured on one, AKIN_PLAN_CPU), and from the network, the disk and the
 * failures of `akin_plan_machine`. */
#ifndef AKIN_PLAN_H
#define AKIN_PLAN_H

#include <akin/error.h>
#include <akin/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_PLAN_CPU "Intel Xeon, family 6 model 207, AMX"
enum { AKIN_PLAN_RANKS_MAX = 16384 };

typedef enum {
    AKIN_PLAN_INGEST,
    AKIN_PLAN_TRAIN,
    AKIN_PLAN_EMBED,
    AKIN_PLAN_NEIGHBORS,
    AKIN_PLAN_EVALUATE,
    AKIN_PLAN_PUBLISH,
    AKIN_PLAN_STAGES
} akin_plan_stage;
extern const char *const akin_plan_names[AKIN_PLAN_STAGES];

/* Lists that a pass over all pairs makes: those of a table, or of a comparison that a table needs
 * before its own. Passes are numbered from 0. */
typedef struct {
    size_t k, pass;
    bool written;   /* to a file, as a table */
    size_t targets; /* of publish */
} akin_plan_lists;

typedef struct {
    size_t items, dim, batch;
    const akin_plan_lists *lists; /* [list_count], borrowed */
    size_t list_count;
    double epochs;           /* 0: chosen by the size of the catalogue, as in train */
    bool network;            /* trains a network, in addition to fitting */
    double picture_bytes;    /* mean size of a picture's file */
    double decoder_bytes;    /* the most of one that is decoded beside its rank */
    double checkpoint_every; /* seconds, of train and neighbors */
    bool wanted[AKIN_PLAN_STAGES];
} akin_plan_job;

typedef struct {
    int nodes, ranks_per_node;
    int cores;               /* of a node; ranks beyond them take turns */
    double latency;          /* seconds per message */
    double bandwidth;        /* bytes per second, of a node, in each direction */
    double memory_bandwidth; /* bytes per second between two ranks of a node */
    double storage;          /* bytes per second, of all ranks together */
    double mtbf;             /* seconds between failures of one node */
    double restart;          /* seconds from a failure until the job computes again */
    double stragglers;       /* share of slow nodes ... */
    double slowdown;         /* ... and how many times longer they take, at least 1 */
    double jitter;           /* mean relative delay of a piece of work */
    uint64_t seed;
} akin_plan_machine;

/* The part of a core that a rank has: how many times longer its work takes, at least 1. */
double akin_plan_turns(const akin_plan_machine *machine);

/* Seconds of one core. */
typedef struct {
    double row;                                  /* per item of a source, to list it, on rank 0 */
    double picture;                              /* to read and shrink */
    double image;                                /* of a training step */
    double update;                               /* of the weights, once in a step */
    double vector;                               /* to embed */
    double pair, pair_column, row_column, offer; /* n^2, n^2 d, n d, n k ln(1 + n / k) */
    double evaluated;                            /* per item */
    double published;                            /* per byte of text, by rank 0 */
} akin_plan_rates;
akin_plan_rates akin_plan_rates_default(void);
/* Bytes of a list of k entries as it is published. */
double akin_plan_text(double k);
/* Takes the measured rates from metrics.json of a run: those of stages that computed everything.
 * *found: number of stages. */
void akin_plan_rates_learn(const akin_json *metrics, akin_plan_rates *rates, size_t *found);

/* For one rank, unless stated otherwise. */
typedef struct {
    bool wanted;
    double memory; /* bytes at the peak */
    double beside; /* the most of a process beside it, if pictures need one; 0: none do */
    double wire;   /* bytes sent */
    double disk;   /* bytes read and written, of all ranks */
    double seconds;
    double waiting; /* of these, waiting time of the rank that waits longest */
    double saved;   /* bytes of a checkpoint, of all ranks; 0: none */
    double lost;    /* expected additional seconds because of node failures; infinity: never ends */
} akin_plan_figures;

typedef struct {
    akin_plan_figures stages[AKIN_PLAN_STAGES];
    double seconds, lost; /* of all stages */
    double interval;      /* the best checkpoint interval (Young 1974), of neighbors, seconds */
    double failures;      /* expected in a night */
    double drawn_mean, drawn_95; /* seconds of a night with failures, drawn many times */
    akin_plan_stage longest;
} akin_plan;

/* AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_plan_make(const akin_plan_job *job,
                                           const akin_plan_machine *machine,
                                           const akin_plan_rates *rates, akin_plan *out);

/* Mean seconds of work of `seconds` if failures occur at `rate` per second, with a checkpoint of
 * `cost` seconds every `interval`, and `restart` seconds after each failure (Daly 2006, eq. 13);
 * interval 0: without checkpoints. */
double akin_plan_expected(double seconds, double interval, double cost, double restart,
                          double rate);

#endif
