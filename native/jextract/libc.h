/* What jextract reads to generate dev.patchbay.bindings.libc. */
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <malloc.h>
#include <netinet/in.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of <sched.h> with _GNU_SOURCE, which would make unions of all socket addresses. */
int setns(int fd, int type);
