// The walk with what every machine of the architecture has: SSE2 or NEON.
#define COGNI_SCAN_NEXT cogni_scan_next_baseline
#include "scan_steps.h"
