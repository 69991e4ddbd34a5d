/* contrast: how well the latents of two views of a picture agree, among those of other pictures.
 * Not collective. NT-Xent, the normalised form of InfoNCE (van den Oord et al., "Representation
 * learning with contrastive predictive coding", 2018; Chen et al., "A simple framework for
 * contrastive learning of visual representations", 2020). A small head maps each latent to a
 * direction u; for each of the 2 n views of a group of n pictures, loss of view a =
 * -log(exp(u_a.u_p / t) / sum over views b other than a of exp(u_a.u_b / t)), where p is the
 * other view of a's picture and t the temperature. */
#ifndef AKIN_CONTRAST_H
#define AKIN_CONTRAST_H

#include <akin/error.h>
#include <stddef.h>

#define AKIN_CONTRAST_GROUP 256 /* pictures, at most */

typedef struct akin_contrast akin_contrast; /* scratch for one group, 2.5 MB */
AKIN_MUST_CHECK akin_status akin_contrast_create(akin_contrast **out);
void akin_contrast_free(akin_contrast *contrast); /* NULL is fine */

typedef struct {
    const float
        *latents; /* [2 * count, AKIN_NETWORK_LATENT], first all first views, then all second */
    size_t count; /* pictures */
    float temperature; /* >= 0.05 */
} akin_contrast_views;

/* Returns the sum over the 2 * count views of their losses. With
 * pull (not NULL) [2 * count, AKIN_NETWORK_LATENT], also writes the gradient of sum * scale by
 * the latents, and, in the vector gradient [AKIN_NETWORK_WEIGHTS], by the head's weights. Bits
 * depend only on the group as a whole. */
double akin_contrast_loss(akin_contrast *contrast, const float *weights,
                          const akin_contrast_views *views, float scale, float *pull,
                          float *gradient);

#endif
