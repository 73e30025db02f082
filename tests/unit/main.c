/* Runs every CUnit suite; exit status 1 if one test failed. */
#include <CUnit/Basic.h>
#include <stdio.h>

void add_suites(void); /* build/tests_registry.c */

int main(void)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	add_suites();
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_tests_failed();
	unsigned run = CU_get_number_of_tests_run();
	CU_cleanup_registry();
	printf("\n%u passed, %u failed\n", run - failed, failed);
	return failed != 0 || run == 0;
}
