// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import dev.patchbay.abi.BackendCodec;
import dev.patchbay.abi.ServiceCodec;
import dev.patchbay.kernel.sys.Batch;
import dev.patchbay.kernel.sys.Bpf;
import dev.patchbay.table.Backend;
import dev.patchbay.table.Capacity;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import dev.patchbay.testkit.Rows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
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
 * A new set of endpoints for one Service in the maps of the kernel: all rows of {@code backends},
 * then the word in {@code services}. Through mapped memory, as the agent does; and, to compare,
 * through system calls. All encode the same rows.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class PublishBenchmark {
  private static final Capacity CAPACITY = new Capacity(4096, 1024, 16_384);

  @Param({"10", "100", "1000"})
  public int endpoints;

  private final Arena arena = Arena.ofShared();
  private KernelMaps maps;
  private KernelStore store;
  private int backendsFd;
  private int servicesFd;
  private List<Backend> rows;
  private MemorySegment keys;
  private MemorySegment values;
  private MemorySegment serviceKey;
  private MemorySegment serviceValue;
  private ServiceWord word = ServiceWord.NONE;

  @Setup
  public void open() throws Exception {
    maps = new KernelMaps(CAPACITY);
    store = maps.store();
    backendsFd = maps.map(PatchbayMap.BACKENDS).fd();
    servicesFd = maps.map(PatchbayMap.SERVICES).fd();
    rows = Rows.backends(0, endpoints);
    keys = arena.allocate((long) endpoints * Integer.BYTES, Integer.BYTES);
    values = arena.allocate((long) endpoints * BackendCodec.SIZE, Long.BYTES);
    serviceKey = arena.allocateFrom(ValueLayout.JAVA_INT, 1);
    serviceValue = arena.allocate(ServiceCodec.SIZE, Long.BYTES);
  }

  @TearDown
  public void close() {
    maps.close();
    arena.close();
  }

  /** The set goes where the last one is not. */
  private ServiceWord next() {
    int base = word.base() == endpoints ? 0 : endpoints;
    word = word.next(base, endpoints);
    return word;
  }

  @Benchmark
  public ServiceWord mappedMemory() {
    ServiceWord next = next();
    store.writeRange(next.base(), rows);
    store.publish(1, next, ServiceSettings.NONE);
    return next;
  }

  /** One {@code bpf_map_update_elem} for each row. */
  @Benchmark
  public ServiceWord updateElem() {
    ServiceWord next = next();
    for (int i = 0; i < rows.size(); i++) {
      keys.set(ValueLayout.JAVA_INT, 0, next.base() + i);
      BackendCodec.encode(rows.get(i), values, 0);
      require(Bpf.bpf_map_update_elem(backendsFd, keys, values));
    }
    return publish(next);
  }

  /** One {@code bpf_map_update_batch} for all rows. */
  @Benchmark
  public ServiceWord updateBatch() {
    ServiceWord next = next();
    for (int i = 0; i < rows.size(); i++) {
      keys.setAtIndex(ValueLayout.JAVA_INT, i, next.base() + i);
      BackendCodec.encode(rows.get(i), values, (long) i * BackendCodec.SIZE);
    }
    Batch batch = Bpf.bpf_map_update_batch(backendsFd, keys, values, rows.size());
    require(batch.result());
    return publish(next);
  }

  private ServiceWord publish(ServiceWord next) {
    ServiceCodec.publish(serviceValue, 0, next, ServiceSettings.NONE);
    require(Bpf.bpf_map_update_elem(servicesFd, serviceKey, serviceValue));
    return next;
  }

  private static void require(int result) {
    if (result < 0) {
      throw new AssertionError("errno " + -result);
    }
  }
}
