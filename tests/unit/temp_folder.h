/* temp_folder.h - a private folder for one suite's files. */
#ifndef TEMP_FOLDER_H
#define TEMP_FOLDER_H

#include <stddef.h>

/* CUnit suite initialiser and cleaner: make the folder, remove it and all in it. */
int temp_folder_make(void);
int temp_folder_remove(void);
/* FOLDER/name, in one of eight buffers used in turn. */
const char *temp_path(const char *name);
/* Writes a file into the folder (with its subfolders); returns its path. */
const char *temp_write(const char *name, const void *bytes, size_t count);
/* The same, as gzip. */
const char *temp_gzip(const char *name, const void *bytes, size_t count);

#endif
