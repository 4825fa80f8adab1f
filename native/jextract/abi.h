/* What jextract reads to generate dev.patchbay.bindings.abi. */
#include "../../bpf/include/abi.h"
