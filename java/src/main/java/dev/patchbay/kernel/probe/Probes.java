// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel.probe;

import dev.patchbay.kernel.sys.AttachType;
import dev.patchbay.kernel.sys.Batch;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libbpf;
import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.kernel.sys.MapType;
import dev.patchbay.kernel.sys.SockDiag;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.IntSupplier;

/**
 * The features of the kernel that matter, by name. Each probe makes a trial object, throws it away
 * and takes well below a millisecond. Any thread may call.
 */
public final class Probes {
  private static final long RETURN_1 = instruction(0xb7, 0, 1);
  private static final long EXIT = instruction(0x95, 0, 0);

  private Probes() {}

  /** Programs for the socket address hooks of cgroups. */
  public static ProbeResult sockAddrPrograms() {
    return asking("Linux 4.17", Bpf::probeSockAddrPrograms);
  }

  /** The hook that gives an application the Service's address as its peer. */
  public static ProbeResult getpeername() {
    return making(
        "Linux 5.8", () -> Bpf.loadSockAddr(AttachType.INET4_GETPEERNAME, RETURN_1, EXIT));
  }

  /** {@code bpf_set_retval}, with which a program chooses the error that the caller sees. */
  public static ProbeResult setRetval() {
    return making(
        "Linux 6.1",
        () ->
            Bpf.loadSockAddr(
                AttachType.INET4_CONNECT,
                instruction(0xb7, 1, -111),
                instruction(0x85, 0, Bpf.setRetvalHelper()),
                RETURN_1,
                EXIT));
  }

  /** Storage that belongs to a socket and goes with it. */
  public static ProbeResult socketStorage() {
    return asking("Linux 5.2", () -> Bpf.libbpf_probe_bpf_map_type(MapType.SK_STORAGE));
  }

  /** Ring buffers, through which programs report. */
  public static ProbeResult ringBuffers() {
    return asking("Linux 5.8", () -> Bpf.libbpf_probe_bpf_map_type(MapType.RINGBUF));
  }

  /** Array maps in the memory of a process. */
  public static ProbeResult mappedArrays() {
    return making(
        "Linux 5.5",
        () -> Bpf.bpf_map_create(MapType.ARRAY, "pb_probe", 4, 8, 1, Bpf.mmapable(), 0));
  }

  /** Many elements of a hash map in one call. */
  public static ProbeResult batches() {
    return making(
        "Linux 5.6",
        () -> {
          int fd = Bpf.bpf_map_create(MapType.HASH, "pb_probe", 4, 4, 1, 0, 0);
          if (fd < 0) {
            return fd;
          }
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment element = arena.allocate(ValueLayout.JAVA_INT);
            Batch batch = Bpf.bpf_map_update_batch(fd, element, element, 1);
            if (batch.result() < 0) {
              Libc.close(fd);
              return batch.result();
            }
          }
          return fd;
        });
  }

  /** Destroying sockets by name, asked for one that there is not. */
  public static ProbeResult socketDestruction() {
    int fd = Libc.sockDiagSocket();
    if (fd < 0) {
      return judge("a kernel with CONFIG_INET_DIAG", fd);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(SockDiag.REQUEST_SIZE, Integer.BYTES);
      MemorySegment answer = arena.allocate(SockDiag.ANSWER_SIZE, Integer.BYTES);
      IpAddress loopback = IpAddress.of("127.0.0.1");
      SockDiag.putDestroy(
          request,
          0,
          0,
          new SockDiag.SocketId(
              false, Protocol.UDP.number(), loopback, 1, loopback, 1, 0, Long.MAX_VALUE));
      long sent = Libc.send(fd, request);
      long bytes = sent < 0 ? sent : Libc.receive(fd, answer);
      if (bytes < 0) {
        return judge("a kernel with CONFIG_INET_DIAG", (int) bytes);
      }
      int[] errno = {0};
      SockDiag.errors(answer.asSlice(0, bytes), (_, error) -> errno[0] = error);
      return errno[0] == Errno.ENOENT.number()
          ? ProbeResult.SUPPORTED
          : judge("a kernel with CONFIG_INET_DIAG_DESTROY", errno[0]);
    } finally {
      Libc.close(fd);
    }
  }

  /** An instruction without an offset, as in {@code struct bpf_insn}; source register 0. */
  private static long instruction(int opcode, int destination, int immediate) {
    return (long) immediate << 32 | (long) destination << 8 | opcode;
  }

  /** A probe that makes something and answers with its descriptor. */
  private static ProbeResult making(String needs, IntSupplier attempt) {
    Optional<ProbeResult> early = withoutLibrary();
    if (early.isPresent()) {
      return early.get();
    }
    int fd = attempt.getAsInt();
    if (fd >= 0) {
      Libc.close(fd);
      return ProbeResult.SUPPORTED;
    }
    return judge(needs, fd);
  }

  /** A probe that answers 1 or 0 itself. */
  private static ProbeResult asking(String needs, IntSupplier attempt) {
    Optional<ProbeResult> early = withoutLibrary();
    if (early.isPresent()) {
      return early.get();
    }
    int answer = attempt.getAsInt();
    return switch (answer) {
      case 1 -> ProbeResult.SUPPORTED;
      case 0 -> new ProbeResult.Unsupported(needs);
      default -> judge(needs, answer);
    };
  }

  static ProbeResult judge(String needs, int errno) {
    return switch (Errno.of(errno)) {
      // EINVAL: an unknown type, flag, command, helper or attach type; all kernels say it like
      // that. E2BIG: a field of the call that the kernel does not have. EACCES: the verifier, about
      // a trial program that it accepts where the feature exists. ENOTSUPP: built without it.
      case EINVAL, E2BIG, EACCES, ENOTSUPP, EOPNOTSUPP, ENOSYS ->
          new ProbeResult.Unsupported(needs);
      // EPERM is about the caller, ENOMEM and the like about the moment.
      default ->
          new ProbeResult.Inconclusive(
              Math.abs(errno), Errno.of(errno).text() + ", " + Errno.describe(errno));
    };
  }

  private static Optional<ProbeResult> withoutLibrary() {
    return Libbpf.problem()
        .map(problem -> new ProbeResult.Inconclusive(0, "libbpf is not available"));
  }
}
