// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Errno;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Linux refused something. The type says what the refusal means, and callers decide by it; numbers
 * are for the reader. The message is one line: what failed, why, and how to fix it where that is
 * known.
 */
public abstract sealed class KernelException extends Exception {
  private static final long serialVersionUID = 1L;
  private static final String GRANT =
      "run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";

  private final String message;
  private final String operation;
  private final String object;
  private final String parameters;
  private final int errno;

  private KernelException(Operation operation, int errno, String reason) {
    String text = operation + ": " + reason;
    super(text);
    this.message = text;
    this.operation = operation.verb();
    this.object = operation.object();
    this.parameters = operation.parameters();
    this.errno = Math.abs(errno);
  }

  @Override
  public String getMessage() {
    return message;
  }

  /** What was being done, for example {@code pin}. */
  public String operation() {
    return operation;
  }

  /** What it was done to, for example {@code map frontends}. */
  public String object() {
    return object;
  }

  /** What else mattered; may be empty. */
  public String parameters() {
    return parameters;
  }

  /** The error number, positive; 0 if no call failed. */
  public int errno() {
    return errno;
  }

  /** {@code EPERM (1)}; empty if no call failed. */
  public String errnoName() {
    return errno == 0 ? "" : Errno.describe(errno);
  }

  /** The result if it is no error. */
  static int check(int result, Operation operation) throws KernelException {
    if (result < 0) {
      throw of(result, operation);
    }
    return result;
  }

  /** The error that {@code errno}, of either sign, means for anything but map elements. */
  static KernelException of(int errno, Operation operation) {
    return switch (Errno.of(errno)) {
      case ENOENT -> new NotFound(operation, errno);
      case EEXIST -> new Exists(operation, errno);
      // EPERM: a capability is missing, or a cgroup above has a program that admits no other.
      // EACCES: file permissions of bpffs; refusal by the verifier is told apart by its log.
      case EPERM, EACCES -> new Denied(operation, errno, GRANT);
      case EROFS -> new Denied(operation, errno, "mount the file system read-write");
      // ENOSYS: a kernel built without bpf(2). ENOTSUPP: the kernel's own number, which leaks.
      // E2BIG: libbpf passed a field that this kernel does not know.
      case ENOSYS, EOPNOTSUPP, ENOTSUPP, E2BIG -> new Unsupported(operation, errno);
      default -> new Other(operation, errno, text(errno));
    };
  }

  /** As {@link #of}, for a call that reads or writes elements of a map. */
  static KernelException ofElement(int errno, Operation operation) {
    return switch (Errno.of(errno)) {
      // E2BIG: hash and array maps. ENOSPC: tries. ENOMEM is not "full": it may pass.
      case E2BIG, ENOSPC -> new Full(operation, errno);
      default -> of(errno, operation);
    };
  }

  /** A failed file operation. */
  static KernelException ofIo(Operation operation, IOException failed) {
    return switch (failed) {
      case NoSuchFileException _ -> new NotFound(operation, "no such file or directory");
      case AccessDeniedException _ -> new Denied(operation, Errno.EACCES.number(), GRANT);
      default -> {
        String why = failed instanceof FileSystemException known ? known.getReason() : null;
        yield new Other(operation, 0, why != null ? why : failed.toString());
      }
    };
  }

  private static String text(int errno) {
    return Errno.of(errno).text() + ", " + Errno.describe(errno);
  }

  /** It is not there. */
  public static final class NotFound extends KernelException {
    private static final long serialVersionUID = 1L;

    NotFound(Operation operation, int errno) {
      super(operation, errno, text(errno));
    }

    NotFound(Operation operation, String reason) {
      super(operation, 0, reason);
    }
  }

  /** It is there already. */
  public static final class Exists extends KernelException {
    private static final long serialVersionUID = 1L;

    Exists(Operation operation, int errno) {
      super(operation, errno, text(errno));
    }
  }

  /** The map holds as many entries as it can. */
  public static final class Full extends KernelException {
    private static final long serialVersionUID = 1L;

    Full(Operation operation, int errno) {
      super(operation, errno, "the map is full, " + Errno.describe(errno));
    }
  }

  /** A privilege is missing. */
  public static final class Denied extends KernelException {
    private static final long serialVersionUID = 1L;

    Denied(Operation operation, int errno, String fix) {
      super(operation, errno, text(errno) + "; " + fix);
    }
  }

  /** This kernel cannot do it. */
  public static final class Unsupported extends KernelException {
    private static final long serialVersionUID = 1L;

    Unsupported(Operation operation, int errno) {
      super(
          operation,
          errno,
          "this kernel cannot, "
              + Errno.describe(errno)
              + "; Linux 5.10 or newer with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF is needed");
    }

    Unsupported(Operation operation, String reason) {
      super(operation, 0, reason);
    }
  }

  /** Something is there, but not what is expected. */
  public static final class Incompatible extends KernelException {
    private static final long serialVersionUID = 1L;

    Incompatible(Operation operation, String found, String expected, String fix) {
      super(operation, 0, "found " + found + "; expected " + expected + "; " + fix);
    }
  }

  /** The verifier refused a program. */
  public static final class Verifier extends KernelException {
    private static final long serialVersionUID = 1L;

    private final String log;

    Verifier(Operation operation, int errno, String summary, String log, Path file) {
      super(operation, errno, summary + "; whole log in " + file);
      this.log = log;
    }

    /** All that the verifier said. */
    public String log() {
      return log;
    }
  }

  /** Another process is at work on the same pins. */
  public static final class Busy extends KernelException {
    private static final long serialVersionUID = 1L;

    Busy(Operation operation, int errno, String reason) {
      super(operation, errno, reason);
    }
  }

  /** libbpf is missing or too old, or native access is not granted. */
  public static final class Library extends KernelException {
    private static final long serialVersionUID = 1L;

    Library(Operation operation, String reason) {
      super(operation, 0, reason);
    }
  }

  /** Anything else. */
  public static final class Other extends KernelException {
    private static final long serialVersionUID = 1L;

    Other(Operation operation, int errno, String reason) {
      super(operation, errno, reason);
    }
  }
}
