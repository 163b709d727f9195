// The walk with AVX2 and BMI; called only where the processor has them.
#if defined(__x86_64__)
// Before the attribute, which is not meant for what these declare.
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include "scan.h"

#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#define COGNI_AVX2
#define COGNI_SCAN_NEXT cogni_scan_next_avx2
#include "scan_steps.h"
#pragma clang attribute pop
#else
typedef int cogni_no_avx2;
#endif
