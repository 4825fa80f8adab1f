// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the dataplane and the agent's records are: options of every reading command. */
final class PathOptions {
  @Option(
      names = "--bpf-dir",
      paramLabel = "PATH",
      defaultValue = "/sys/fs/bpf/patchbay",
      description = "bpffs directory for pins (default: ${DEFAULT-VALUE})")
  Path bpfDir = Path.of("/sys/fs/bpf/patchbay");

  @Option(
      names = "--state-dir",
      paramLabel = "PATH",
      defaultValue = "/var/lib/patchbay",
      description = "what the agent remembers (default: ${DEFAULT-VALUE})")
  Path stateDir = Path.of("/var/lib/patchbay");
}
