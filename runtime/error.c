/* error.c - error values: a code and a message. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What came from a file or a name must not steer the terminal that shows it. */
static void make_plain(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++)
		if ((*c < 32 && *c != '\n') || *c == 127)
			*c = '?';
}

int nnc_fail(NncError *err, int code, const char *format, ...)
{
	char message[sizeof(
		((NncError *)0)->message)]; /* the arguments may point into err->message
					     */
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	make_plain(message);
	memcpy(err->message, message, sizeof message);
	err->code = code;
	return code;
}

const char *nnc_strerror(int code)
{
	switch (code) {
	case NNC_OK:
		return "no error";
	case NNC_FAILED:
		return "failed";
	case NNC_USAGE:
		return "bad option or argument";
	case NNC_DATA:
		return "malformed data or weights";
	case NNC_NOINPUT:
		return "an input is missing";
	case NNC_BUG:
		return "a bug of nnc";
	case NNC_NOMEM:
		return "out of memory";
	case NNC_IO:
		return "reading or writing failed";
	case NNC_CPU:
		return "this CPU cannot run this build";
	default:
		return "unknown error";
	}
}
