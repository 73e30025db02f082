/* test_doctor.c - what control groups leave a process, as `nnc doctor` reads them. */
#include "doctor/doctor.h"
#include "temp_folder.h"

#include <CUnit/CUnit.h>
#include <string.h>

static void group_file(const char *name, const char *text)
{
	temp_write(name, text, strlen(text));
}

/* The folder itself. */
static const char *root(void)
{
	return arena_printf("%.*s", (int)strlen(temp_path("")) - 1, temp_path(""));
}

static void version_2(void)
{
	group_file("a/b/cpu.max", "max 100000\n");
	group_file("a/cpu.max", "250000 100000\n");
	group_file("a/b/memory.max", "1000000\n");
	group_file("a/b/memory.current", "400000\n");
	group_file("a/memory.max", "max\n");
	CU_ASSERT_DOUBLE_EQUAL(group_cpus(root(), "0::/a/b\n"), 2.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(group_bytes(root(), "0::/a/b\n"), 600000, 0);
	group_file("a/b/cpu.max", "50000 100000\n");
	CU_ASSERT_DOUBLE_EQUAL(group_cpus(root(), "0::/a/b\n"), 0.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(group_cpus(root(), "0::/a\n"), 2.5, 0);
	group_file("a/b/memory.current", "2000000\n");
	CU_ASSERT_DOUBLE_EQUAL(group_bytes(root(), "0::/a/b\n"), 0, 0);
	/* a container sees its own group as the root */
	group_file("cpu.max", "300000 100000\n");
	CU_ASSERT_DOUBLE_EQUAL(group_cpus(root(), "0::/\n"), 3, 0);
}

static void version_1(void)
{
	static const char self[] =
		"4:memory:/x\n2:cpuset:/y\n1:cpu,cpuacct:/x\n0::/none\n";
	group_file("cpu.max", "max 100000\n");
	group_file("cpu/x/cpu.cfs_quota_us", "-1\n");
	group_file("cpu/x/cpu.cfs_period_us", "100000\n");
	group_file("memory/x/memory.limit_in_bytes", "9223372036854771712\n");
	CU_ASSERT(group_cpus(root(), self) < 0);
	CU_ASSERT(group_bytes(root(), self) < 0);
	group_file("cpu/x/cpu.cfs_quota_us", "150000\n");
	group_file("memory/x/memory.limit_in_bytes", "5000\n");
	group_file("memory/x/memory.usage_in_bytes", "2000\n");
	CU_ASSERT_DOUBLE_EQUAL(group_cpus(root(), self), 1.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(group_bytes(root(), self), 3000, 0);
}

static void none(void)
{
	CU_ASSERT(group_cpus("/nowhere", "0::/a\n") < 0);
	CU_ASSERT(group_bytes("/nowhere", "0::/a\n4:memory:/\n") < 0);
	static const char *const odd[] = {
		"",       "\n",     "0",
		"0:",     "0::",    ":::",
		"1:cpu",  "1:cpu:", "0::/../../a\n",
		"x\ny\n",
	};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		CU_ASSERT(group_cpus("/nowhere", odd[i]) < 0);
		CU_ASSERT(group_bytes("/nowhere", odd[i]) < 0);
	}
	group_file("z/cpu.max", "what");
	group_file("z/memory.max", "");
	CU_ASSERT(group_cpus(root(), "0::/z\n") < 0);
	CU_ASSERT(group_bytes(root(), "0::/z\n") < 0);
}

void suite_doctor(void);
void suite_doctor(void)
{
	CU_pSuite s = CU_add_suite("doctor", temp_folder_make, temp_folder_remove);
	CU_add_test(s, "control groups, version 2", version_2);
	CU_add_test(s, "control groups, version 1", version_1);
	CU_add_test(s, "no control groups, odd ones", none);
}
