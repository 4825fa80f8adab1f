// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * The compiled programs that travel in the jar. The first two have the same maps and program names.
 */
enum ObjectFile {
  /** For kernels with {@code bpf_set_retval} in these hooks (6.1). */
  CURRENT("sock_lb.bpf.o"),
  /** Refuses by translating to a closed port. */
  LEGACY("sock_lb_legacy.bpf.o"),
  /** The iterator over sockets, for kernels with BTF; some of the maps of the others. */
  STALE_SOCKETS("stale_sockets.bpf.o"),
  /** Times connections, while somebody wants to know. */
  CONNECT_TIMES("connect_times.bpf.o");

  private final String file;

  /** What they have in common, read once. */
  private static final class Holder {
    static final int ABI_VERSION = new ObjectBtf(CURRENT.bytes()).abiVersion();

    private Holder() {}
  }

  /** The version of the ABI that the programs in the jar have. */
  static int abiVersion() {
    return Holder.ABI_VERSION;
  }

  ObjectFile(String file) {
    this.file = file;
  }

  String file() {
    return file;
  }

  byte[] bytes() {
    try (InputStream in = ObjectFile.class.getResourceAsStream("bpf/" + file)) {
      if (in == null) {
        throw new IllegalStateException("the build left out " + file);
      }
      return in.readAllBytes();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
