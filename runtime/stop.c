/* stop.c - the first Ctrl-C (or SIGTERM) is noted, so that the run can be saved. */
#include "internal.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t noted;

static void note(int signal)
{
	noted = signal;
}

static void set_action(int signal, void (*handler)(int), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	sigemptyset(&action.sa_mask);
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigaction(signal, &action, NULL);
}

void nnc_stop_watch(void)
{
	noted = 0;
	set_action(SIGINT, note, (int)SA_RESETHAND | SA_RESTART);
	set_action(SIGTERM, note, (int)SA_RESETHAND | SA_RESTART);
}

int nnc_stop_signal(void)
{
	return noted;
}

void nnc_stop_unwatch(void)
{
	set_action(SIGINT, SIG_DFL, 0);
	set_action(SIGTERM, SIG_DFL, 0);
	noted = 0;
}
