/* json.c - results as JSON on the standard output. */
#include "internal.h"

#include <math.h>
#include <stdlib.h>

json_t *nnc_score_json(const NncScore *score)
{
	json_t *root = json_object();

	json_object_set_new(root, "accuracy", nnc_json_real(score->accuracy));
	json_object_set_new(root, "loss", nnc_json_real(score->loss));
	json_object_set_new(root, "samples", json_integer(score->samples));
	return root;
}

json_t *nnc_json_real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

int nnc_print_json(json_t *root, NncError *err)
{
	char *text = json_dumps(root, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(10));

	json_decref(root);
	if (!text)
		return nnc_fail(err, NNC_NOMEM, "not enough memory for the JSON");
	puts(text);
	free(text);
	return NNC_OK;
}
