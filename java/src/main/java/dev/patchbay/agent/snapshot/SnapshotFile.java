// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import dev.patchbay.agent.snapshot.SnapshotException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * {@code snapshot.json} of a state directory, as it is read. The first line is a whole snapshot,
 * and each further line one change of it, in order; {@link SnapshotLog} writes them. A line without
 * its end is one that is being written, or whose writer was killed: it is as if it were not there.
 * As changes are in the file that has the snapshot they belong to, there is no other to take them
 * for.
 *
 * <p>Anybody may read at any time, also while the file is added to or replaced.
 */
public final class SnapshotFile {
  /** The format this version writes, and the newest that it reads. */
  static final int FORMAT = 2;

  /**
   * The oldest that it reads; the first, which knew no changes, is the first line of the second.
   */
  static final int OLDEST_FORMAT = 1;

  private static final String NAME = "snapshot.json";
  private static final int BLOCK = 8192;
  private static final JsonFactory JSON = new JsonFactory();

  private SnapshotFile() {}

  /** Where the snapshot of a state directory is. */
  public static Path path(Path stateDir) {
    return stateDir.resolve(NAME);
  }

  /**
   * Reads the snapshot.
   *
   * @throws SnapshotException if there is none that this version can use
   */
  public static Snapshot read(Path stateDir) throws SnapshotException {
    Path file = path(stateDir);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        InputStream in = Channels.newInputStream(channel);
        JsonParser json = JSON.createParser(in)) {
      return new SnapshotReader(json).read(wholeLines(channel));
    } catch (NoSuchFileException e) {
      throw failure(
          Reason.MISSING,
          file,
          "there is no snapshot; start the agent with this state directory, or name the right one"
              + " with --state-dir",
          e);
    } catch (SnapshotReader.NewerFormatException e) {
      throw failure(
          Reason.NEWER,
          file,
          "written in format "
              + e.format()
              + ", this version reads up to "
              + FORMAT
              + "; use the version of Patchbay that the agent has",
          e);
    } catch (JacksonException e) {
      throw failure(Reason.CORRUPT, file, corrupt(e.getOriginalMessage()), e);
    } catch (SnapshotReader.FormatException e) {
      throw failure(Reason.CORRUPT, file, corrupt(String.valueOf(e.getMessage())), e);
    } catch (IOException e) {
      throw failure(Reason.UNREADABLE, file, "cannot be read: " + e, e);
    }
  }

  /** How much of a file are whole lines, in bytes, at this moment. */
  private static long wholeLines(FileChannel file) throws IOException {
    ByteBuffer block = ByteBuffer.allocate(BLOCK);
    for (long end = file.size(); end > 0; ) {
      long start = Math.max(0, end - BLOCK);
      block.clear().limit((int) (end - start));
      while (block.hasRemaining() && file.read(block, start + block.position()) >= 0) {
        // the next part of it
      }
      for (int i = block.position() - 1; i >= 0; i--) {
        if (block.get(i) == '\n') {
          return start + i + 1;
        }
      }
      end = start;
    }
    return 0;
  }

  private static String corrupt(String detail) {
    return "is not a snapshot (" + detail + "); the agent writes a new one when it starts";
  }

  private static SnapshotException failure(
      Reason reason, Path file, String detail, Exception cause) {
    SnapshotException failure = new SnapshotException(reason, file, detail);
    failure.initCause(cause);
    return failure;
  }
}
