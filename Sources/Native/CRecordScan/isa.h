#ifndef COGNI_ISA_H
#define COGNI_ISA_H

// What this processor's vectors can do beyond what every machine of its architecture has, unless COGNI_ISA hides it. The page
// scanner chooses for itself: see scan.c.
enum { BASELINE_VECTORS, AVX2_VECTORS, AVX512_VECTORS };  // the last with byte permutations (BW and VBMI)
int cogni_vectors(void);


// A function that the compiler makes twice: for every machine, and for those with AVX2 and BMI, whose instructions for bits and
// whose free choice of registers are worth a twentieth. The loader chooses, by what the processor has: COGNI_ISA does not reach it.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define COGNI_CLONED __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define COGNI_CLONED
#endif

#endif
