// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.abi.AbiLimits;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DataplaneOptionsTest {
  private final DataplaneOptions options =
      DataplaneOptions.defaults(Path.of("/sys/fs/bpf/x"), Path.of("/tmp"));

  @Test
  void makesMapsOfClientsAsLargeAsTheNode() {
    assertThat(options.affinityEntries(2)).isEqualTo(16_384);
    assertThat(options.affinityEntries(16)).isEqualTo(32_768);
    assertThat(options.affinityEntries(512)).isEqualTo(AbiLimits.DEFAULT_AFFINITY);
    assertThat(options.udpFlowEntries(2)).isEqualTo(8192);
    assertThat(options.udpFlowEntries(16)).isEqualTo(16_384);
    assertThat(options.udpFlowEntries(512)).isEqualTo(AbiLimits.DEFAULT_UDP_FLOWS);
  }

  @Test
  void takesNoMoreThanIsAllowed() {
    DataplaneOptions small =
        new DataplaneOptions(options.bpfDir(), options.capacity(), 64, 32, options.logDirectory());
    assertThat(small.affinityEntries(4)).isEqualTo(64);
    assertThat(small.udpFlowEntries(4)).isEqualTo(32);
  }
}
