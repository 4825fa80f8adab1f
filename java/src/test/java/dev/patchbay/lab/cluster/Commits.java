// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * When the store of a cluster committed changes of one object, as it told somebody who watches it
 * without the API server in between: a fraction of a millisecond after the commit, and before the
 * API server answers. Its methods are for any thread.
 */
public final class Commits implements AutoCloseable {
  private final InputStream stream;
  private final BufferedReader lines;
  private final List<Long> times = new ArrayList<>();

  Commits(InputStream stream) {
    this.stream = stream;
    lines = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
    try {
      String first = lines.readLine();
      if (first == null || !first.contains("\"created\":true")) {
        throw new IllegalStateException("etcd does not watch: " + first);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread _ = Thread.ofPlatform().name("commits").daemon().start(this::read);
  }

  private void read() {
    try {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        long now = System.nanoTime();
        if (line.contains("\"events\"")) {
          synchronized (this) {
            times.add(now);
          }
        }
      }
    } catch (IOException e) {
      // closed, or etcd has ended
    }
  }

  /** The first commit after a moment, both on the clock of {@link System#nanoTime}. */
  public synchronized OptionalLong after(long moment) {
    return times.stream().mapToLong(Long::longValue).filter(time -> time > moment).findFirst();
  }

  @Override
  public void close() {
    try {
      stream.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
