// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.Errno;
import dev.patchbay.kernel.sys.Libc;
import dev.patchbay.kernel.sys.SockDiag;
import dev.patchbay.model.Protocol;
import dev.patchbay.observe.StaleSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Destroys sockets by name: {@code SOCK_DESTROY} of sock_diag, within the network namespace of
 * each. Their owners get {@code ECONNABORTED} from the next call, and TCP peers a reset. The cookie
 * of a socket goes along, so that no other is hit that took its place.
 *
 * <p>Other namespaces are entered by a thread made for that, which ends there: no thread that does
 * anything else is ever in a foreign namespace. One object is for one round of sockets, and for one
 * thread.
 */
public final class SocketDestroyer {
  /** Requests to one system call; what the kernel answers to them fits a socket's buffer. */
  private static final int BATCH = 128;

  private static final int ANSWER_BYTES = 64 * 1024;
  private static final String GRANT =
      "sockets in other network namespaces are left alone; grant CAP_SYS_ADMIN";
  private static final String MOUNT =
      "no file of their network namespace in "
          + NetworkNamespaces.DIRECTORIES
          + ", and no process of it to be seen; mount the host's /run/netns there, or use the host's"
          + " PID namespace and grant CAP_SYS_PTRACE";

  private final NetworkNamespaces namespaces;
  private final Map<Protocol, Long> destroyed = new EnumMap<>(Protocol.class);
  private final Map<String, Long> unreachable = new TreeMap<>();
  private final Map<String, Long> failed = new TreeMap<>();
  private long gone;
  private boolean mayNotEnter;

  public SocketDestroyer() {
    this(new NetworkNamespaces());
  }

  SocketDestroyer(NetworkNamespaces namespaces) {
    this.namespaces = namespaces;
  }

  /** Destroys these; what comes of it adds up in the other methods. */
  public void destroy(List<StaleSocket> sockets) {
    Map<Long, List<StaleSocket>> byNamespace = new LinkedHashMap<>();
    for (StaleSocket socket : sockets) {
      byNamespace.computeIfAbsent(socket.namespaceInode(), _ -> new ArrayList<>()).add(socket);
    }
    try {
      List<StaleSocket> own = byNamespace.remove(NetworkNamespaces.own());
      if (own != null) {
        destroyHere(own);
      }
    } catch (KernelException refused) {
      byNamespace.values().forEach(list -> fail(refused.getMessage(), list.size()));
      return;
    }
    if (!byNamespace.isEmpty()) {
      visit(byNamespace);
    }
  }

  private void visit(Map<Long, List<StaleSocket>> byNamespace) {
    Thread visitor =
        Thread.ofPlatform()
            .name("patchbay-netns")
            .daemon()
            .start(
                () -> {
                  namespaces.find(byNamespace.keySet());
                  byNamespace.forEach(this::destroyThere);
                });
    boolean interrupted = false;
    while (visitor.isAlive()) {
      try {
        visitor.join();
      } catch (InterruptedException asked) {
        interrupted = true; // what it counts is ours to read only when it has ended
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** On the visitor's thread. */
  private void destroyThere(long namespace, List<StaleSocket> sockets) {
    if (mayNotEnter) {
      unreachable.merge(GRANT, (long) sockets.size(), Long::sum);
      return;
    }
    try {
      namespaces.enter(namespace);
    } catch (KernelException.NotFound nowhere) {
      unreachable.merge(MOUNT, (long) sockets.size(), Long::sum);
      return;
    } catch (KernelException.Denied denied) {
      mayNotEnter = true;
      unreachable.merge(GRANT, (long) sockets.size(), Long::sum);
      return;
    } catch (KernelException refused) {
      fail(refused.getMessage(), sockets.size());
      return;
    }
    destroyHere(sockets);
  }

  /** In the namespace of the calling thread. */
  private void destroyHere(List<StaleSocket> sockets) {
    Operation operation = new Operation("destroy", "sockets");
    try (Fd socket = Fd.of(Libc.sockDiagSocket(), operation);
        Arena arena = Arena.ofConfined()) {
      MemorySegment requests = arena.allocate((long) BATCH * SockDiag.REQUEST_SIZE, Integer.BYTES);
      MemorySegment answers = arena.allocate(ANSWER_BYTES, Integer.BYTES);
      for (int from = 0; from < sockets.size(); from += BATCH) {
        List<StaleSocket> batch = sockets.subList(from, Math.min(from + BATCH, sockets.size()));
        for (int i = 0; i < batch.size(); i++) {
          SockDiag.putDestroy(requests, (long) i * SockDiag.REQUEST_SIZE, i, id(batch.get(i)));
        }
        MemorySegment message = requests.asSlice(0, (long) batch.size() * SockDiag.REQUEST_SIZE);
        long sent = Libc.send(socket.number(), message);
        if (sent < 0) {
          fail(KernelException.of((int) sent, operation).getMessage(), batch.size());
          continue;
        }
        batch.forEach(one -> destroyed.merge(one.protocol(), 1L, Long::sum));
        readAnswers(socket, answers, batch, operation);
      }
    } catch (KernelException refused) {
      fail(refused.getMessage(), sockets.size());
    }
  }

  /** The kernel has dealt with all requests when send() comes back, so nothing is waited for. */
  private void readAnswers(
      Fd socket, MemorySegment answers, List<StaleSocket> batch, Operation operation) {
    while (true) {
      long bytes = Libc.receive(socket.number(), answers);
      if (Errno.EINTR.is(bytes)) {
        continue;
      }
      if (bytes <= 0) {
        return;
      }
      SockDiag.errors(
          answers.asSlice(0, bytes),
          (sequence, errno) -> {
            if (sequence < 0 || sequence >= batch.size()) {
              return;
            }
            destroyed.merge(batch.get(sequence).protocol(), -1L, Long::sum);
            if (Errno.ENOENT.is(-errno)) {
              gone++;
            } else {
              fail(KernelException.of(errno, operation).getMessage(), 1);
            }
          });
    }
  }

  static SockDiag.SocketId id(StaleSocket socket) {
    return new SockDiag.SocketId(
        socket.inet6(),
        socket.protocol().number(),
        socket.source(),
        socket.sourcePort(),
        socket.backend(),
        socket.backendPort(),
        socket.interfaceIndex(),
        socket.cookie());
  }

  private void fail(String reason, long sockets) {
    failed.merge(reason, sockets, Long::sum);
  }

  /** How many of a protocol were destroyed. */
  public long destroyed(Protocol protocol) {
    return destroyed.getOrDefault(protocol, 0L);
  }

  /** How many were not there any more, as far as sock_diag can see. */
  public long gone() {
    return gone;
  }

  /** Why how many could not be reached: to try again is of no use until somebody mends that. */
  public Map<String, Long> unreachable() {
    return Map.copyOf(unreachable);
  }

  /** Why how many were not destroyed: it may work the next time. */
  public Map<String, Long> failed() {
    return Map.copyOf(failed);
  }
}
