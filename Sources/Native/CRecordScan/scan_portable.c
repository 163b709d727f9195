// The walk in plain C, for any machine, and for holding the others against it.
#define COGNI_PORTABLE
#define COGNI_SCAN_NEXT cogni_scan_next_portable
#include "scan_steps.h"
