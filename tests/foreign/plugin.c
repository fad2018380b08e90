// An object that allocates by whatever `malloc` it finds.

void *malloc(unsigned long size);
void free(void *block);

void *make(unsigned long size) { return malloc(size); }
void unmake(void *block) { free(block); }
