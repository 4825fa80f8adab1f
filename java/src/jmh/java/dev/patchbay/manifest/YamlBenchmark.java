// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.scale.World;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** One EndpointSlice with ten endpoints, from text to a tree. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class YamlBenchmark {
  private final String text = World.manifest(0, 0);
  private final Documents.Part slice = Documents.split(text).getLast();

  @Benchmark
  public List<Documents.Part> splitTwoDocuments() {
    return Documents.split(text);
  }

  /** For what {@code kubectl} writes. */
  @Benchmark
  public BlockReader.Result blockReader() throws SyntaxException {
    BlockReader.Result result = BlockReader.read(text, slice.from(), slice.to());
    if (result.declined()) {
      throw new AssertionError(text);
    }
    return result;
  }

  /** For everything else. */
  @Benchmark
  public @Nullable Node yamlReader() throws SyntaxException {
    return YamlReader.read(text.substring(slice.from(), slice.to()));
  }
}
