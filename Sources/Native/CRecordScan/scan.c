#include "record_scan.h"
int cogni_scan_version(void) { return 1; }
