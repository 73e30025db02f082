/* tiny.c - the network of tiny.h in float. */
#include "tiny_net.h"

int tiny_bug = TINY_RIGHT;
