#ifndef COGNI_ISA_H
#define COGNI_ISA_H

// What this processor's vectors can do beyond what every machine of its architecture has, unless COGNI_ISA hides it. The page
// scanner chooses for itself: see scan.c.
enum { BASELINE_VECTORS, AVX2_VECTORS, AVX512_VECTORS };  // the last with byte permutations (BW and VBMI)
int cogni_vectors(void);

#endif
