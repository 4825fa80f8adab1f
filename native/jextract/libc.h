/* What jextract reads to generate dev.patchbay.bindings.libc. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>
