/* terminal.c - what a stream shows: a terminal's width, and colours. */
#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int nnc_columns(FILE *stream)
{
	const char *term = getenv("TERM");
	int fd = fileno(stream);
	struct winsize size;

	if (fd < 0 || !isatty(fd) || !term || !strcmp(term, "dumb"))
		return 0;
	return !ioctl(fd, TIOCGWINSZ, &size) && size.ws_col > 0 ? size.ws_col : 80;
}

bool nnc_colored(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");

	return nnc_columns(stream) > 0 && !(no_color && *no_color);
}
