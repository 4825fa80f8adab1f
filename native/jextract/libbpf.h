/* What jextract reads to generate dev.patchbay.bindings.libbpf. */
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
