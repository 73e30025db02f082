/* nets.c - see nets.h. */
#include "nets.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

Net *net_of(const char *text)
{
	const ExpandOptions none = {0};
	const Source *source;
	char *messages = NULL;
	size_t size = 0;
	int count;
	FILE *out = open_memstream(&messages, &size);
	diag_reset(out);
	Stmt *stmts = expand_text("t.nn", text, strlen(text), &none, &count, &source);
	Net *net = diag_errors() ? NULL : build_net(stmts, count, source);
	diag_reset(NULL);
	fclose(out);
	free(messages);
	if (net)
		ir_check(net);
	return net;
}

Net *net_after(const char *last, const char *text)
{
	Net *net = net_of(text);
	run_passes(net, NULL, last);
	return net;
}

void prefer(Net *net, const char *kernel)
{
	for (int i = 0; kernels[i]; i++)
		if (strcmp(kernels[i]->name, kernel) == 0) {
			*vec_push(&net->preferred, &net->preferred_count) = kernels[i];
			return;
		}
	abort();
}

Node *node_of(const Program *p, const char *op, int i)
{
	for (int k = 0; k < p->count; k++)
		if (strcmp(p->nodes[k]->op->name, op) == 0 && i-- == 0)
			return p->nodes[k];
	return NULL;
}

int count_of(const Program *p, const char *op)
{
	int n = 0;
	while (node_of(p, op, n))
		n++;
	return n;
}

bool aborts(void (*call)(void *data), void *data)
{
	int status = 0;
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		const struct rlimit none = {0, 0};
		int null = open("/dev/null", O_WRONLY);
		setrlimit(RLIMIT_CORE, &none);
		dup2(null, STDERR_FILENO);
		call(data);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return child > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
