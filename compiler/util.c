/* util.c - overflow checks, hashes, did-you-mean, reading a file. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nnc.h"

uint32_t hash_text(const char *text)
{
	uint64_t h = 0x9E3779B97F4A7C15u, word;
	size_t n = strlen(text);
	for (; n >= sizeof word; text += sizeof word, n -= sizeof word) {
		memcpy(&word, text, sizeof word);
		h = (h ^ word) * 0xFF51AFD7ED558CCDu;
		h ^= h >> 32;
	}
	word = n;
	memcpy(&word, text, n);
	h = (h ^ word ^ (uint64_t)n << 56) * 0xFF51AFD7ED558CCDu;
	return (uint32_t)(h >> 32);
}

bool mul_ok(int64_t a, int64_t b, int64_t *r)
{
	int64_t product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*r = product;
	return true;
}

bool add_ok(int64_t a, int64_t b, int64_t *r)
{
	int64_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*r = sum;
	return true;
}

enum { MAX_NEAR = 40 }; /* longer names are not worth a guess */

static int min3(int a, int b, int c)
{
	int least = a < b ? a : b;
	return least < c ? least : c;
}

/* Edits between a and b, letter case aside; two neighbours swapped are one edit. More
   than `most` may be any number above it. */
static int distance(const char *a, size_t n, const char *b, size_t m, int most)
{
	int least_above = 0;
	int row[3][MAX_NEAR + 1];
	int *before = row[0], *above = row[1], *here = row[2];
	for (size_t j = 0; j <= m; j++)
		above[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		int least = here[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int ca = tolower((unsigned char)a[i - 1]);
			int cb = tolower((unsigned char)b[j - 1]);
			here[j] = min3(above[j] + 1, here[j - 1] + 1,
				       above[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < here[j])
				here[j] = before[j - 2] + 1;
			least = here[j] < least ? here[j] : least;
		}
		if (least > most && least_above > most)
			return most + 1;
		least_above = least;
		int *oldest = before;
		before = above;
		above = here;
		here = oldest;
	}
	return above[m];
}

const char *nearest(const char *name, const char *const *candidates, int n)
{
	size_t length = strlen(name);
	if (length > MAX_NEAR)
		return NULL;
	int limit = length < 3 ? 1 : length < 6 ? 2 : 3, best = limit + 1;
	const char *found = NULL;
	for (int i = 0; i < n; i++) {
		size_t other = strlen(candidates[i]);
		if (other > MAX_NEAR || other > length + (size_t)limit ||
		    length > other + (size_t)limit)
			continue;
		int d = distance(name, length, candidates[i], other, best);
		/* Something of the name has to be left. */
		if (d < best && d < (int)other && d < (int)length) {
			best = d;
			found = candidates[i];
		}
	}
	return found;
}

static char *read_all(int fd, size_t limit, size_t *size, const char **why)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		*why = S_ISDIR(st.st_mode) ? strerror(EISDIR) : strerror(errno);
		return NULL;
	}
	/* st_size is a hint only: a pipe has none, a file may grow under us. */
	bool known =
		S_ISREG(st.st_mode) && st.st_size >= 0 && (size_t)st.st_size <= limit;
	size_t room = known ? (size_t)st.st_size + 1 : limit + 1;
	char *text = arena_alloc(room + 1);
	size_t used = 0;
	while (used < room) {
		ssize_t got = read(fd, text + used, room - used);
		if (got == 0)
			break;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*why = strerror(errno);
			return NULL;
		}
		used += (size_t)got;
	}
	if (used > limit || (S_ISREG(st.st_mode) && !known)) {
		*why = arena_printf("it is larger than %zu bytes", limit);
		return NULL;
	}
	text[used] = '\0';
	*size = used;
	return text;
}

char *read_file(const char *path, size_t limit, size_t *size, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*why = strerror(errno);
		return NULL;
	}
	char *text = read_all(fd, limit, size, why);
	close(fd);
	return text;
}
