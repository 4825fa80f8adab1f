// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * {@code snapshot.json} of a state directory, as it is written: a whole snapshot, and behind it
 * what has changed since, so that a change costs what the change is worth, and not what the cluster
 * is. When the changes outgrow the snapshot, a new one takes the place of the file with both.
 *
 * <p>A reader sees the state after some {@link #replace} or {@link #append}, and none older than
 * the last that had returned when it opened the file, wherever the writer is killed: a file is put
 * in place whole, and of a line that was not written to its end nothing is read. Nothing is forced
 * to the disk: after a power failure the maps that are described here are gone too.
 *
 * <p>One process, the agent that holds the directory, writes; one thread at a time.
 */
public final class SnapshotLog implements AutoCloseable {
  /** Changes that are kept however small the snapshot is, in bytes. */
  static final long FEW = 64 << 10;

  /** A buffer that is larger is not kept, in bytes. */
  private static final int BUFFER_KEPT = 256 << 10;

  private static final String TEMPORARY = ".snapshot.json.tmp";

  private static final JsonFactory JSON =
      JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET).build();

  private final Path file;
  private final Path temporary;
  private ByteArrayOutputStream buffer = new ByteArrayOutputStream();

  /** What was written and can be added to; null if there is nothing such. */
  private @Nullable Written written;

  /**
   * A file that is in place.
   *
   * @param channel at its end
   * @param key which file it is
   * @param first length of its first line in bytes
   * @param services how many the first line has
   */
  private record Written(FileChannel channel, @Nullable Object key, long first, int services) {
    /** How long the changes behind the first line may become, in bytes. */
    long limit() {
      return Math.max(FEW, first / 2);
    }

    /** What Services take in it, in bytes, more or less. */
    long estimate(int count) {
      return services == 0 ? 0 : first / services * count;
    }
  }

  /**
   * Writes nothing yet.
   *
   * @param stateDir an existing directory
   */
  public SnapshotLog(Path stateDir) {
    file = SnapshotFile.path(stateDir);
    temporary = stateDir.resolve(TEMPORARY);
  }

  /**
   * Puts a whole snapshot in the place of all that was there.
   *
   * @throws IOException if it cannot be written; what was there is then still in place, and nothing
   *     can be added to it
   */
  public void replace(Snapshot snapshot) throws IOException {
    close();
    FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE);
    try {
      try (JsonGenerator json =
          JSON.createGenerator(Channels.newOutputStream(channel), JsonEncoding.UTF8)) {
        new SnapshotWriter(json).write(snapshot);
      }
      Object key = attributes(temporary).fileKey();
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      written = new Written(channel, key, channel.position(), snapshot.cluster().services().size());
    } finally {
      if (written == null) {
        channel.close();
        Files.deleteIfExists(temporary);
      }
    }
  }

  /**
   * Adds a change to what {@link #replace} and this have written.
   *
   * @return whether it did; if not, it is time to {@link #replace}: there are too many changes, or
   *     somebody else has touched the file
   * @throws IOException if it cannot be written; readers do not see it, and nothing more can be
   *     added
   */
  public boolean append(SnapshotChange change) throws IOException {
    Written to = written;
    if (to == null) {
      return false;
    }
    try {
      long end = to.channel.position();
      long room = to.first + to.limit() - end;
      if (to.estimate(change.upserted().size()) > room || !isInPlace(to, end)) {
        return false;
      }
      ByteBuffer line = line(change);
      if (line.remaining() > room) {
        return false;
      }
      while (line.hasRemaining()) {
        to.channel.write(line);
      }
      return true;
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private ByteBuffer line(SnapshotChange change) throws IOException {
    if (buffer.size() > BUFFER_KEPT) {
      buffer = new ByteArrayOutputStream();
    }
    buffer.reset();
    try (JsonGenerator json = JSON.createGenerator(buffer, JsonEncoding.UTF8)) {
      new SnapshotWriter(json).write(change);
    }
    return ByteBuffer.wrap(buffer.toByteArray());
  }

  /** Whether the file is still the one that was put there, and as long. */
  private boolean isInPlace(Written written, long end) throws IOException {
    try {
      BasicFileAttributes now = attributes(file);
      return now.size() == end && Objects.equals(now.fileKey(), written.key);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static BasicFileAttributes attributes(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class);
  }

  /** Gives the file up; it stays. */
  @Override
  public void close() {
    if (written != null) {
      try {
        written.channel.close();
      } catch (IOException e) {
        // All of it has been written.
      }
      written = null;
    }
  }
}
