#ifndef R
#define R
int cogni_scan_version(void);
#endif
