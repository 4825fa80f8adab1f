// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.sys;

/**
 * The error numbers of Linux (x86_64 and arm64 agree) that libbpf, the BPF calls and sockets give.
 */
public enum Errno {
  EPERM(1, "operation not permitted"),
  ENOENT(2, "no such file or entry"),
  ESRCH(3, "no such process"),
  EINTR(4, "interrupted"),
  EIO(5, "input/output error"),
  E2BIG(7, "too many entries"),
  EBADF(9, "bad file descriptor"),
  EAGAIN(11, "try again"),
  ENOMEM(12, "out of memory"),
  EACCES(13, "permission denied"),
  EFAULT(14, "bad address"),
  EBUSY(16, "busy"),
  EEXIST(17, "exists already"),
  ENODEV(19, "no such device"),
  ENOTDIR(20, "not a directory"),
  EISDIR(21, "is a directory"),
  EINVAL(22, "invalid argument"),
  ENFILE(23, "too many open files in the system"),
  EMFILE(24, "too many open files"),
  ENOSPC(28, "no space left"),
  EROFS(30, "read-only file system"),
  ERANGE(34, "out of range"),
  ENAMETOOLONG(36, "name too long"),
  ENOSYS(38, "system call not available"),
  ELOOP(40, "too many symbolic links"),
  ENOLINK(67, "link was severed"),
  ENOPROTOOPT(92, "option not available"),
  EOPNOTSUPP(95, "not supported"),
  EAFNOSUPPORT(97, "address family not supported"),
  EADDRNOTAVAIL(99, "address not available"),
  ENETUNREACH(101, "network unreachable"),
  ECONNRESET(104, "connection reset"),
  ETIMEDOUT(110, "timed out"),
  ECONNREFUSED(111, "connection refused"),
  EHOSTUNREACH(113, "no route to host"),
  EINPROGRESS(115, "in progress"),
  ENOTSUPP(524, "not supported by the kernel"),
  /** Any number that is not listed. */
  UNKNOWN(0, "unknown error");

  private final int number;
  private final String text;

  Errno(int number, String text) {
    this.number = number;
    this.text = text;
  }

  /** The positive number; 0 for {@link #UNKNOWN}. */
  public int number() {
    return number;
  }

  /** A few words in English. */
  public String text() {
    return text;
  }

  /** The constant for a number of either sign. */
  public static Errno of(int number) {
    int positive = Math.abs(number);
    for (Errno errno : values()) {
      if (errno.number == positive) {
        return errno;
      }
    }
    return UNKNOWN;
  }

  /** Whether a result in the convention of this package is this error. */
  public boolean is(long result) {
    return result == -number;
  }

  /** {@code EPERM (1)}; {@code errno 999} if the number is not listed. */
  public static String describe(int number) {
    Errno errno = of(number);
    int positive = Math.abs(number);
    return errno == UNKNOWN ? "errno " + positive : errno.name() + " (" + positive + ")";
  }
}
