/*
 * reader.c - reading files, gzip or not (zlib finds out from the content).
 *
 * A gzip file is read to its end, or its CRC would not be checked. Opening never
 * blocks: a FIFO, a device and a folder are refused.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* No byte of deflate yields more than this many bytes (zlib's "Maximum expansion"). */
enum { MOST_EXPANSION = 1032, CHUNK = 1 << 20 };

int nnc_reader_open(NncReader *reader, const char *path, NncError *err)
{
	char quoted[80];
	struct stat st;
	int code = NNC_OK;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	*reader = (NncReader){0};
	nnc_quote(quoted, path);
	if (fd < 0)
		return nnc_fail(
			err, errno == ENOENT || errno == ENOTDIR ? NNC_NOINPUT : NNC_IO,
			"cannot open \"%s\": %s", quoted, strerror(errno));
	if (fstat(fd, &st) != 0) {
		code = nnc_fail(err, NNC_IO, "cannot read \"%s\": %s", quoted,
				strerror(errno));
		goto close_fd;
	}
	if (!S_ISREG(st.st_mode)) {
		code = nnc_fail(err, NNC_IO, "cannot read \"%s\": it is %s", quoted,
				S_ISDIR(st.st_mode) ? "a folder"
						    : "not a regular file");
		goto close_fd;
	}
	reader->stored = (size_t)st.st_size;
	reader->path = strdup(path);
	reader->gz = reader->path ? gzdopen(fd, "rb") : NULL;
	if (!reader->gz) {
		code = nnc_fail(err, NNC_NOMEM, "out of memory");
		goto close_fd;
	}
	gzbuffer(reader->gz, 1 << 17);
	reader->gzip = !gzdirect(reader->gz);
	return NNC_OK;
close_fd:
	close(fd);
	nnc_reader_close(reader);
	return code;
}

static int fail_gzip(const NncReader *reader, NncError *err)
{
	char quoted[80];
	int number;
	const char *reason = gzerror(reader->gz, &number);

	nnc_quote(quoted, reader->path);
	if (number == Z_ERRNO)
		return nnc_fail(err, NNC_IO, "cannot read \"%s\": %s", quoted,
				strerror(errno));
	if (number == Z_MEM_ERROR)
		return nnc_fail(err, NNC_NOMEM, "out of memory");
	if (number == Z_BUF_ERROR)
		return nnc_fail(
			err, NNC_DATA,
			"\"%s\" is a truncated gzip file: it ends after %zu bytes\n"
			"help: fetch it again",
			quoted, reader->stored);
	if (strstr(reason, "incorrect data check"))
		reason = "its CRC-32 does not match its contents";
	else if (strstr(reason, "incorrect length check"))
		reason = "its length does not match its contents";
	else if (strstr(reason, ": ")) /* zlib puts the descriptor before it */
		reason = strstr(reason, ": ") + 2;
	return nnc_fail(err, NNC_DATA,
			"\"%s\" is a damaged gzip file: %s\nhelp: fetch it again",
			quoted, reason);
}

int nnc_reader_read(NncReader *reader, void *bytes, size_t count, size_t *got,
		    NncError *err)
{
	*got = 0;
	while (*got < count) {
		size_t part = count - *got < 1 << 30 ? count - *got : 1 << 30;
		int done = gzread(reader->gz, (char *)bytes + *got, (unsigned)part);
		int number = Z_OK;
		if (done > 0)
			*got += (size_t)done;
		else
			gzerror(reader->gz, &number);
		if (done < 0 || number != Z_OK)
			return fail_gzip(reader, err);
		if (done == 0)
			break;
	}
	return NNC_OK;
}

bool nnc_reader_could_hold(const NncReader *reader, size_t count)
{
	return count <= reader->stored ||
	       (reader->gzip && count / MOST_EXPANSION <= reader->stored);
}

void nnc_reader_close(NncReader *reader)
{
	if (reader->gz)
		gzclose_r(reader->gz);
	free(reader->path);
	*reader = (NncReader){0};
}

/* Reads to the end or limit + 1 bytes, doubling the block. */
static int read_rest(NncReader *reader, NncBytes *bytes, size_t limit, NncError *err)
{
	size_t room = reader->gzip ? CHUNK : reader->stored, got;
	int code;

	for (;;) {
		unsigned char *grown;
		if (room > limit)
			room = limit;
		grown = realloc(bytes->data,
				room + 2); /* one more byte to look for, a NUL */
		if (!grown)
			return nnc_fail(err, NNC_NOMEM,
					"out of memory: \"%s\" needs %zu bytes",
					reader->path, room);
		bytes->data = grown;
		code = nnc_reader_read(reader, bytes->data + bytes->size,
				       room + 1 - bytes->size, &got, err);
		if (code != NNC_OK)
			return code;
		bytes->size += got;
		if (bytes->size <= room)
			return NNC_OK;
		if (room == limit)
			return nnc_fail(err, NNC_DATA,
					"\"%s\" holds more than %zu bytes",
					reader->path, limit);
		room = room > limit / 2 ? limit : 2 * room + CHUNK;
	}
}

int nnc_read_file(NncBytes *bytes, const char *path, size_t limit, NncError *err)
{
	NncReader reader;
	int code = nnc_reader_open(&reader, path, err);

	*bytes = (NncBytes){0};
	if (code != NNC_OK)
		return code;
	code = read_rest(&reader, bytes, limit, err);
	if (code == NNC_OK)
		bytes->data[bytes->size] = 0;
	else
		nnc_bytes_free(bytes);
	nnc_reader_close(&reader);
	return code;
}

void nnc_bytes_free(NncBytes *bytes)
{
	free(bytes->data);
	*bytes = (NncBytes){0};
}

const char *nnc_kind_of(const unsigned char *bytes, size_t size)
{
	static const struct {
		size_t at, size;
		const char *magic, *kind;
	} kinds[] = {
		{0, 2, "\x1f\x8b", "gzip data (compressed twice)"},
		{0, 4, "\x89PNG", "a PNG image"},
		{0, 3, "\xff\xd8\xff", "a JPEG image"},
		{0, 4, "GIF8", "a GIF image"},
		{0, 6, "\x93NUMPY", "a NumPy .npy array"},
		{0, 4, "PK\3\4", "a ZIP archive (or .npz)"},
		{0, 6, "\xfd\x37zXZ", "an XZ archive"},
		{0, 3, "BZh", "a bzip2 archive"},
		{0, 4, "\x28\xb5\x2f\xfd", "a Zstandard archive"},
		{0, 4, "\x89HDF", "an HDF5 file"},
		{0, 4, "\x7f\x45LF", "a program"},
		{0, 5, "%PDF-", "a PDF document"},
		{0, 2, "\x80\2", "a Python pickle"},
		{0, 23, "version https://git-lfs",
		 "a Git LFS pointer, not the file itself"},
		{0, 3, "\0\0\x08", "IDX data"},
		{7, 2, "\0{", "a safetensors file"},
		{257, 5, "ustar", "a tar archive"},
	};
	size_t start = 0, text = 0;

	if (size == 0)
		return "empty";
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (size >= kinds[i].at + kinds[i].size &&
		    memcmp(bytes + kinds[i].at, kinds[i].magic, kinds[i].size) == 0)
			return kinds[i].kind;
	while (start < size && strchr(" \t\r\n", bytes[start]) && bytes[start])
		start++;
	if (start < size && bytes[start] == '<')
		return "an HTML or XML page";
	if (start < size && (bytes[start] == '{' || bytes[start] == '['))
		return "JSON text";
	while (text < size && text < 512 &&
	       (bytes[text] >= 32 || strchr("\t\r\n", bytes[text])) && bytes[text])
		text++;
	if (text == size || text == 512)
		return "text";
	return "not a format known to nnc";
}
