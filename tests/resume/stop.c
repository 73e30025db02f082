/* stop.c - a program of a model that is told to stop behind training step $STOP_AT. */
#include "nnc_rt.h"

#include <signal.h>
#include <stdlib.h>

extern const NncModel MODEL;

static long stop_at = -1;

static void backward(NncContext *c, const NncBatch *batch, const NncThread *t)
{
	MODEL.backward(c, batch, t);
	if (t->id == 0 && (long)c->updates == stop_at)
		raise(SIGTERM);
}

int main(int argc, char **argv)
{
	NncModel model = MODEL;
	const char *text = getenv("STOP_AT");

	if (text)
		stop_at = strtol(text, NULL, 10);
	model.backward = backward;
	return nnc_main(argc, argv, &model, NULL);
}
