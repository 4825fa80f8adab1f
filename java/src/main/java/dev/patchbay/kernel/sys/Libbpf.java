// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

import dev.patchbay.bindings.libbpf.LibBpf;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Whether the system's libbpf can be used. Ask before anything else in this package; the answer is
 * found once.
 */
public final class Libbpf {
  private static final int MAJOR = 1;
  private static final int MINOR = 1;
  private static final String INSTALL =
      "install it: apt-get install libbpf1 (Debian, Ubuntu) or dnf install libbpf (Fedora, RHEL)";

  private Libbpf() {}

  /** The answer, found when it is first asked for. */
  private static final class Holder {
    static final State STATE = load();

    private Holder() {}
  }

  private record State(String version, Optional<String> problem) {}

  /** What is wrong, with the fix; empty if libbpf is there and recent enough. */
  public static Optional<String> problem() {
    return Holder.STATE.problem();
  }

  /** {@code 1.1}, for example; empty if the library could not be loaded. */
  public static String version() {
    return Holder.STATE.version();
  }

  private static State load() {
    try {
      int major = LibBpf.libbpf_major_version();
      int minor = LibBpf.libbpf_minor_version();
      Optional<String> problem = judge(major, minor);
      if (problem.isEmpty()) {
        // Without this, libbpf prints its own messages to stderr. Errors come back as results.
        MemorySegment ignored = LibBpf.libbpf_set_print(MemorySegment.NULL);
      }
      return new State(major + "." + minor, problem);
    } catch (LinkageError | RuntimeException thrown) {
      return new State("", Optional.of(explain(thrown)));
    }
  }

  /** What is wrong with a version; empty if it will do. */
  static Optional<String> judge(int major, int minor) {
    boolean enough = major > MAJOR || (major == MAJOR && minor >= MINOR);
    return enough
        ? Optional.empty()
        : Optional.of(
            "libbpf "
                + major
                + "."
                + minor
                + " is too old, "
                + MAJOR
                + "."
                + MINOR
                + " or newer is needed; "
                + INSTALL);
  }

  /** Why loading failed, as a sentence with the fix. */
  static String explain(Throwable thrown) {
    Throwable root = thrown;
    for (Throwable at = thrown; at != null; at = at.getCause()) {
      root = at;
      if (at instanceof IllegalCallerException) {
        return "native access is not granted; start java with --enable-native-access=ALL-UNNAMED";
      }
    }
    // SymbolLookup.libraryLookup says IllegalArgumentException when dlopen fails.
    return "libbpf.so.1 cannot be loaded (" + root.getMessage() + "); " + INSTALL;
  }
}
