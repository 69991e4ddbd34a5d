/* tensors: where the network's tensors are in its vector of weights. Not collective. */
#ifndef AKIN_TENSORS_H
#define AKIN_TENSORS_H

#include <akin/network.h>

/* Name, dimensions, elements, fan in, fan out; without fans it is initialised to zero. */
#define KERNEL "kernel_row=3,kernel_column=3,"
#define TENSORS(X)                                                                                 \
    X(conv1_weight, KERNEL "image_channel=3,conv1_channel=32", 864, 27, 288)                       \
    X(conv1_bias, "conv1_channel=32", 32, 0, 0)                                                    \
    X(conv2_weight, KERNEL "conv1_channel=32,conv2_channel=64", 18432, 288, 576)                   \
    X(conv2_bias, "conv2_channel=64", 64, 0, 0)                                                    \
    X(hidden_weight, "flat=4096,hidden=128", 524288, 4096, 128)                                    \
    X(hidden_bias, "hidden=128", 128, 0, 0)                                                        \
    X(latent_weight, "hidden=128,latent=32", 4096, 128, 32)                                        \
    X(latent_bias, "latent=32", 32, 0, 0)                                                          \
    X(seed_weight, "latent=32,seed=64", 2048, 32, 64)                                              \
    X(seed_bias, "seed=64", 64, 0, 0)                                                              \
    X(up1_weight, KERNEL "up1_channel=64,seed_channel=1", 576, 9, 576)                             \
    X(up1_bias, "up1_channel=64", 64, 0, 0)                                                        \
    X(up2_weight, KERNEL "up2_channel=32,up1_channel=64", 18432, 576, 288)                         \
    X(up2_bias, "up2_channel=32", 32, 0, 0)                                                        \
    X(output_weight, KERNEL "up2_channel=32,image_channel=3", 864, 288, 27)                        \
    X(output_bias, "image_channel=3", 3, 0, 0)                                                     \
    X(head1_weight, "latent=32,head=64", 2048, 32, 64)                                             \
    X(head1_bias, "head=64", 64, 0, 0)                                                             \
    X(head2_weight, "head=64,contrast=32", 2048, 64, 32)                                           \
    X(head2_bias, "contrast=32", 32, 0, 0)

/* The offset of each tensor in the vector, and the end of the vector. */
#define OFFSET(name, dims, count, fan_in, fan_out) AT_##name, LAST_##name = AT_##name + (count)-1,
enum { TENSORS(OFFSET) WEIGHTS };
enum { CORE = AKIN_NETWORK_HEAD }; /* without the head of the contrastive loss */

#endif
