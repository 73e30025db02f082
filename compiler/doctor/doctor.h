/*
 * doctor.h - what `nnc doctor` looks at. A check is a function that notes what it found; a
 * file of checks is a subject, and commands/doctor.c has the list of all.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "nnc.h"

typedef enum Level {
	LEVEL_PASS,
	LEVEL_WARN,             /* works, but slower, or not all of it */
	LEVEL_FAIL,             /* something that nnc is for does not work */
} Level;

typedef struct Finding {
	Level level;
	const char *subject;    /* "C compiler" */
	const char *found;      /* may be of several lines */
	const char *remedy;     /* what to do, or NULL */
} Finding;

typedef struct Doctor {
	Finding *findings;
	int count;
	bool compiles;          /* the C compiler was found, and the runtime */
} Doctor;

void note(Doctor *d, Level level, const char *subject, const char *found,
	  const char *remedy);

/* build.c */
void check_runtime(Doctor *d);
void check_compiler(Doctor *d);
void check_program(Doctor *d); /* requires the two above */
/* libraries.c */
void check_openblas(Doctor *d);
void check_libraries(Doctor *d);
void check_gnuplot(Doctor *d);
/* machine.c */
int vector_width(void); /* the floats in the widest vector of this CPU */
void check_cpu(Doctor *d);
void check_cores(Doctor *d);
void check_memory(Doctor *d);
/* places.c */
void check_temporary(Doctor *d);
void check_cache(Doctor *d);
void check_data(Doctor *d);

/*
 * The CPUs' worth of time that control groups leave this process, and its bytes of memory;
 * < 0: as much as there is. `root` is /sys/fs/cgroup, `self` the text of /proc/self/cgroup.
 */
double group_cpus(const char *root, const char *self);
double group_bytes(const char *root, const char *self);

#endif
