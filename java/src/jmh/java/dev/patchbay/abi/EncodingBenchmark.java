// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.Protocol;
import dev.patchbay.table.Backend;
import dev.patchbay.table.FrontendKey;
import dev.patchbay.table.FrontendValue;
import dev.patchbay.table.ServiceSettings;
import dev.patchbay.table.ServiceWord;
import dev.patchbay.testkit.Rows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Rows to bytes and back, in memory that is not the heap's. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class EncodingBenchmark {
  private final Arena arena = Arena.ofShared();
  private final List<Backend> backends = Rows.backends(0, 10);
  private final FrontendKey key =
      new FrontendKey(
          IpAddress.of("10.96.0.1"), 80, Protocol.TCP, dev.patchbay.table.Scope.INTERNAL);
  private final FrontendValue value = new FrontendValue.ToService(7);
  private final ServiceWord word = new ServiceWord(640, 10, 1);
  private final ServiceSettings settings = new ServiceSettings(10_800, true);
  private MemorySegment memory;

  @Setup
  public void allocate() {
    memory = arena.allocate(4096, Long.BYTES);
  }

  @TearDown
  public void free() {
    arena.close();
  }

  @Benchmark
  public MemorySegment tenBackends() {
    for (int i = 0; i < backends.size(); i++) {
      BackendCodec.encode(backends.get(i), memory, (long) i * BackendCodec.SIZE);
    }
    return memory;
  }

  /** As the comparison of maps with what was written there does. */
  @Benchmark
  public boolean compareTenBackends() {
    boolean equal = true;
    for (int i = 0; i < backends.size(); i++) {
      equal &= BackendCodec.holds(backends.get(i), memory, (long) i * BackendCodec.SIZE);
    }
    return equal;
  }

  @Benchmark
  public MemorySegment frontend() {
    FrontendKeyCodec.encode(key, memory, 0);
    FrontendValueCodec.encode(value, memory, FrontendKeyCodec.SIZE);
    return memory;
  }

  @Benchmark
  public MemorySegment service() {
    ServiceCodec.publish(memory, 0, word, settings);
    return memory;
  }
}
