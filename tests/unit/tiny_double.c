/* tiny_double.c - the network of tiny.h in double: its twin. */
#define NNC_DOUBLE 1
#include "tiny_net.h"
