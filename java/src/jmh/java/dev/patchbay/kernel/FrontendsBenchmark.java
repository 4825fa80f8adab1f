// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.FrontendKeyCodec;
import dev.patchbay.abi.FrontendValueCodec;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.reconcile.StoreException;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Entries of {@code frontends}, a hash map of the kernel: inserted and deleted again, so that each
 * insertion is one. In batches, as the agent does; and, to compare, one call for each.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class FrontendsBenchmark {
  private static final Capacity CAPACITY = new Capacity(32_768, 16_384, 16_384);

  @Param({"1", "10000"})
  public int frontends;

  private final Map<FrontendKey, FrontendValue> entries = new LinkedHashMap<>();
  private final Arena arena = Arena.ofShared();
  private KernelMaps maps;
  private KernelStore store;
  private int fd;
  private MemorySegment key;
  private MemorySegment value;

  @Setup
  public void open() throws Exception {
    maps = new KernelMaps(CAPACITY);
    store = maps.store();
    fd = maps.map(PatchbayMap.FRONTENDS).fd();
    key = arena.allocate(FrontendKeyCodec.SIZE, Long.BYTES);
    value = arena.allocate(FrontendValueCodec.SIZE, Long.BYTES);
    for (int i = 0; i < frontends; i++) {
      entries.put(
          new FrontendKey(
              IpAddress.ofIpv4(0x0a60_0000 + i),
              80,
              Protocol.TCP,
              dev.patchbay.table.Scope.INTERNAL),
          new FrontendValue.ToService(i));
    }
  }

  @TearDown
  public void close() {
    maps.close();
    arena.close();
  }

  @Benchmark
  public void insertAndDeleteInBatches() throws StoreException {
    store.upsertFrontends(entries);
    store.deleteFrontends(entries.keySet());
  }

  @Benchmark
  public void insertAndDeleteOneByOne() {
    entries.forEach(
        (frontend, service) -> {
          FrontendKeyCodec.encode(frontend, key, 0);
          FrontendValueCodec.encode(service, value, 0);
          require(Bpf.bpf_map_update_elem(fd, key, value));
        });
    for (FrontendKey frontend : entries.keySet()) {
      FrontendKeyCodec.encode(frontend, key, 0);
      require(Bpf.bpf_map_delete_elem(fd, key));
    }
  }

  private static void require(int result) {
    if (result < 0) {
      throw new AssertionError("errno " + -result);
    }
  }
}
