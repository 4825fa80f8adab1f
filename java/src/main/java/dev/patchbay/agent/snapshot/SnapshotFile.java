// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.snapshot;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import dev.patchbay.agent.snapshot.SnapshotException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * {@code snapshot.json} of a state directory. The file is replaced as a whole, so a reader sees one
 * snapshot or the next, never a mixture. It is not forced to the disk: after a power failure the
 * maps that it describes are gone too.
 *
 * <p>One process, the agent that holds the directory, writes; one thread at a time. Anybody may
 * read at any time.
 */
public final class SnapshotFile {
  /** The format this version writes, and the newest that it reads. */
  static final int FORMAT = 1;

  private static final String NAME = "snapshot.json";
  private static final String TEMPORARY = ".snapshot.json.tmp";
  private static final JsonFactory JSON = new JsonFactory();

  private SnapshotFile() {}

  /** Where the snapshot of a state directory is. */
  public static Path path(Path stateDir) {
    return stateDir.resolve(NAME);
  }

  /**
   * Replaces the snapshot.
   *
   * @param stateDir an existing directory
   * @throws IOException if it cannot be written; the previous snapshot is then still in place
   */
  public static void write(Path stateDir, Snapshot snapshot) throws IOException {
    Path temporary = stateDir.resolve(TEMPORARY);
    try (OutputStream out = Files.newOutputStream(temporary);
        JsonGenerator json = JSON.createGenerator(out, JsonEncoding.UTF8)) {
      new SnapshotWriter(json).write(snapshot);
    } catch (IOException e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
    Files.move(
        temporary,
        path(stateDir),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Reads the snapshot.
   *
   * @throws SnapshotException if there is none that this version can use
   */
  public static Snapshot read(Path stateDir) throws SnapshotException {
    Path file = path(stateDir);
    try (InputStream in = Files.newInputStream(file);
        JsonParser json = JSON.createParser(in)) {
      return new SnapshotReader(json).read();
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
