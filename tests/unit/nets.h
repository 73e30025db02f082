/* nets.h - small networks for tests, from text. */
#ifndef NETS_H
#define NETS_H

#include "nnc.h"

/* The forward half of a model's Net, or NULL after errors, which nobody sees. */
Net *net_of(const char *text);
/* The same after the passes up to and with `last`: "reorder", "infer", ..., "sync". */
Net *net_after(const char *last, const char *text);
/* The passes from `first` to `last`. */
void run_passes(Net *net, const char *first, const char *last);
/* Has select take this kernel wherever it fits. */
void prefer(Net *net, const char *kernel);
/* The i-th node of an op, or NULL. */
Node *node_of(const Program *p, const char *op, int i);
int count_of(const Program *p, const char *op);
/* Whether call(data) ends in abort(); in a process of its own, its stderr unseen. */
bool aborts(void (*call)(void *data), void *data);

#endif
