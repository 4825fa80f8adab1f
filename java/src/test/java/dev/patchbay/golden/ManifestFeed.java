// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.golden;

import dev.patchbay.manifest.Loaded;
import dev.patchbay.manifest.ManifestDirectoryException;
import dev.patchbay.manifest.ManifestSettings;
import dev.patchbay.manifest.ManifestSource;
import dev.patchbay.manifest.PortRange;
import dev.patchbay.model.Cidr;
import dev.patchbay.model.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A manifest directory, and the source that follows it. After each step a file is written that the
 * source reports as of no use; because its name is new, and the first in the order in which names
 * are looked at, whoever has seen it has seen all that was written before it. So nothing waits for
 * a time.
 */
final class ManifestFeed implements AutoCloseable {
  private static final String FENCE = "0-fence-";
  private static final int PATIENCE_SECONDS = 60;

  private final Path directory;
  private final ManifestSource source;
  private final BlockingQueue<Loaded> told = new LinkedBlockingQueue<>();
  private @Nullable Path fence;
  private int fences;

  ManifestFeed(Path directory, List<Cidr> serviceCidrs) throws IOException {
    this.directory = Files.createDirectory(directory);
    source =
        new ManifestSource(
            new ManifestSettings(
                directory,
                directory.resolveSibling(directory.getFileName() + ".state"),
                serviceCidrs,
                new PortRange(30000, 32767)));
  }

  void write(String name, String text) throws IOException {
    Path hidden = directory.resolve("." + name + ".new");
    Files.writeString(hidden, text);
    Files.move(hidden, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }

  void remove(String name) throws IOException {
    Files.delete(directory.resolve(name));
  }

  /** Reads what there is now, and follows it from then on. */
  Loaded start() throws ManifestDirectoryException {
    Loaded first = source.load();
    source.watch(told::add);
    return first;
  }

  /** Hands over all that the source tells until it has seen what was written before this call. */
  void drain(Consumer<Loaded> to) throws IOException, InterruptedException {
    removeFence();
    fences++;
    String name = FENCE + fences + ".yaml";
    write(name, "{apiVersion: v1, kind: Fence, metadata: {name: fence}}\n");
    fence = directory.resolve(name);
    drain(to, loaded -> loaded.update().problems().stream().anyMatch(p -> p.file().equals(name)));
  }

  /** As {@link #drain}, when all manifests were removed. */
  void drainEmpty(Consumer<Loaded> to) throws IOException, InterruptedException {
    removeFence();
    drain(to, loaded -> loaded.files() == 0);
  }

  private void drain(Consumer<Loaded> to, Predicate<Loaded> last) throws InterruptedException {
    Loaded loaded;
    do {
      loaded = told.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (loaded == null) {
        throw new AssertionError("the source told nothing for " + PATIENCE_SECONDS + " s");
      }
      to.accept(loaded);
    } while (!last.test(loaded));
  }

  private void removeFence() throws IOException {
    if (fence != null) {
      Files.delete(fence);
      fence = null;
    }
  }

  /** Whether a problem is about the feed's own file. */
  static boolean isOwn(Problem problem) {
    return problem.file().startsWith(FENCE);
  }

  @Override
  public void close() {
    source.close();
  }
}
