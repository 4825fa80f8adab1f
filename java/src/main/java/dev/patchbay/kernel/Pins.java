// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.AbiLimits;
import java.nio.file.Path;

/**
 * Where things are pinned:
 *
 * <pre>
 *   BPF_DIR/v2/maps/frontends     v2: version of the ABI
 *   BPF_DIR/v2/links/pb_connect4
 * </pre>
 *
 * @param bpfDir a directory in a bpf file system
 */
record Pins(Path bpfDir) {
  Path version() {
    return bpfDir.resolve("v" + AbiLimits.VERSION);
  }

  Path maps() {
    return version().resolve("maps");
  }

  Path links() {
    return version().resolve("links");
  }

  Path map(PatchbayMap map) {
    return maps().resolve(map.mapName());
  }

  Path link(Hook hook) {
    return links().resolve(hook.program());
  }
}
