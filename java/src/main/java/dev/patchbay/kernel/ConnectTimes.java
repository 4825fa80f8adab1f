// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.kernel.sys.AttachType;
import dev.patchbay.kernel.sys.Bpf;
import java.nio.file.Path;

/**
 * Times connections from connect() to establishment, as long as it is open. The link is not pinned:
 * it ends with this process, however that ends. Several at one time do no harm: a connection is
 * counted and told of once.
 */
public final class ConnectTimes implements AutoCloseable {
  private static final String PROGRAM = "pb_sock_ops";

  private final Fd link;

  private ConnectTimes(Fd link) {
    this.link = link;
  }

  /**
   * Begins to time the connections of sockets below a cgroup.
   *
   * @param maps stay the caller's
   */
  static ConnectTimes open(MapSet maps, Path cgroup) throws KernelException {
    Operation operation = new Operation("attach", "program " + PROGRAM, cgroup.toString());
    try (Fd directory = Cgroups.open(cgroup)) {
      return new ConnectTimes(
          SideObject.use(
              ObjectFile.CONNECT_TIMES,
              PROGRAM,
              maps,
              (_, program) ->
                  Fd.of(
                      Bpf.bpf_link_create(program, directory.number(), AttachType.SOCK_OPS),
                      operation)));
    }
  }

  /** Idempotent. */
  @Override
  public void close() {
    link.close();
  }
}
