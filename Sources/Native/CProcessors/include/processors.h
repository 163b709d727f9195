#ifndef COGNI_PROCESSORS_H
#define COGNI_PROCESSORS_H

#include <stdint.h>

// Threads that compute for milliseconds on end, each on a processor of its own. See Processors.swift for why.

// Enters the calling thread's processor in the list of busy ones. 1: entered; 0: it stands there already, or the list is full.
int32_t cogni_processors_enter(void);
void cogni_processors_leave(void);
// When another busy thread is on this processor and a third processor is free, goes there. Returns 1 when it has moved.
int32_t cogni_processors_look(void);
// Keeps the calling thread, which is not a busy one, to processors that no busy thread is on, as far as there are such. To be
// called again and again; a call that changes nothing costs no system call.
void cogni_processors_aside(void);
// The thread may run anywhere again.
void cogni_processors_anywhere(void);

#endif
