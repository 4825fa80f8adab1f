// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.scale.World;
import java.nio.file.Files;
import java.nio.file.Path;
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

/** A file with Services of ten endpoints each, two documents for each Service. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ManifestBenchmark {
  private static final String FILE = "services.yaml";

  @Param({"1", "10000"})
  public int services;

  private Path directory;
  private ManifestSettings settings;

  @Setup
  public void write() throws Exception {
    directory = Files.createTempDirectory("patchbay-jmh");
    Files.writeString(directory.resolve(FILE), World.manifests(0, services));
    settings =
        new ManifestSettings(
            directory, null, ManifestSettings.DEFAULT_SERVICE_CIDRS, PortRange.DEFAULT_NODE_PORTS);
  }

  @TearDown
  public void remove() throws Exception {
    Files.delete(directory.resolve(FILE));
    Files.delete(directory);
  }

  /** Read, split, parsed and translated, by all processors. */
  @Benchmark
  public List<FileVersion> read() {
    List<FileVersion> versions = new ManifestReader(settings).read(directory, List.of(FILE));
    int objects = versions.getFirst().objects().size();
    if (objects != 2 * services) {
      throw new AssertionError(versions.getFirst());
    }
    return versions;
  }

  /** The same, and what the embedded control plane makes of it. */
  @Benchmark
  public Loaded load() throws Exception {
    try (ManifestSource source = new ManifestSource(settings)) {
      Loaded loaded = source.load();
      if (loaded.objects() != 2 * services) {
        throw new AssertionError(loaded);
      }
      return loaded;
    }
  }
}
