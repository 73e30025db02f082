/* wrap.c - the lines of the generated file: none is wider than it may be. */
#include <string.h>

#include "nnc.h"

enum { WIDTH = 88, LIMIT = 100, TAB = 8 };

/* False: it surely fits. */
static bool may_be_wide(const char *line)
{
	size_t tabs = strspn(line, "\t");
	return strlen(line) + tabs * (TAB - 1) > WIDTH || strchr(line + tabs, '\t');
}

/* Where to break a line that is too wide: behind the last comma or operator that fits,
 * else behind the parenthesis before, or NULL. */
static const char *break_of(const char *line)
{
	const char *best = NULL, *open = NULL;
	int column = 0;
	bool quoted = false;
	for (const char *c = may_be_wide(line) ? line : ""; *c; c++) {
		column = *c == '\t' ? (column / TAB + 1) * TAB : column + 1;
		quoted ^= *c == '"' && (c == line || c[-1] != '\\');
		if (column > WIDTH && (best || open))
			return best ? best : open;
		if (!quoted && *c == '(')
			open = c + 1;
		if (!quoted && c[0] == ',' && c[1] == ' ' && c[2])
			best = c + 2;
		if (!quoted && (strncmp(c, "&& ", 3) == 0 || strncmp(c, "|| ", 3) == 0))
			best = c + 3;
		if (!quoted && c[1] == ' ' && c > line && c[-1] == ' ' &&
		    strchr("*/+:", *c))
			best = c + 2;
	}
	return NULL;
}

/* A line of code that ends inside a parenthesis. */
static bool continues(const char *line)
{
	int open = 0;
	for (const char *c = line; *c; c++)
		open += (*c == '(') - (*c == ')');
	return open > 0 && line[strlen(line) - 1] == ',';
}

/* The next line, in `line`; a parameter list that a template broke is joined again
   first. */
static void next_line(Text *line, const char **text)
{
	size_t size = strcspn(*text, "\n");
	line->length = 0;
	text_add(line, *text, size);
	*text += size + 1;
	bool comment = strchr("/*#", line->bytes[strspn(line->bytes, "\t ")]);
	while (!comment && continues(line->bytes)) {
		const char *more = *text + strspn(*text, "\t ");
		size = strcspn(more, "\n");
		text_add(line, " ", 1);
		text_add(line, more, size);
		*text = more + size + 1;
	}
}

/* The last space that fits of a comment wider than LIMIT, or NULL. */
static char *comment_break(char *line, size_t indent)
{
	size_t width = strlen(line) + indent * (TAB - 1);
	if (width <= LIMIT || indent * (TAB - 1) >= WIDTH)
		return NULL;
	char *space = line + WIDTH - indent * (TAB - 1);
	while (space > line && *space != ' ')
		space--;
	return space > line + indent + 4 ? space
					 : NULL; /* behind the star, and a word */
}

/* A comment that is too wide goes on in a line of its own: " * " stands behind its
 * tabs. */
static void write_comment(char *line, FILE *out)
{
	static const char star[] = {' ', '*', ' '};
	const size_t indent = strspn(line, "\t");
	for (char *space; (space = comment_break(line, indent));) {
		fwrite(line, 1, (size_t)(space - line), out);
		putc('\n', out);
		line = space - indent - 2;
		memset(line, '\t', indent);
		memcpy(line + indent, star, sizeof star);
	}
	fputs(line, out);
	putc('\n', out);
}

static bool is_comment(const char *code)
{
	return strncmp(code, "/*", 2) == 0 || strncmp(code, " *", 2) == 0;
}

/* Lines of code wider than WIDTH are continued a tab further in. */
void write_wrapped(const char *text, FILE *out)
{
	Text buffer = {0};
	while (*text) {
		next_line(&buffer, &text);
		char *line = buffer.bytes;
		size_t indent = strspn(line, "\t");
		const char *rest;
		if (is_comment(line + indent)) {
			write_comment(line, out);
			continue;
		}
		const bool code = line[strspn(line, "\t ")] != '#';
		while (code && (rest = break_of(line))) {
			fwrite(line, 1, (size_t)(rest - line) - (rest[-1] == ' '), out);
			putc('\n', out);
			/* It is behind the tabs: what is continued has them, and one.
			 */
			line += (size_t)(rest - line) - indent - 1;
			memset(line, '\t', indent + 1);
		}
		fputs(line, out);
		putc('\n', out);
	}
}
