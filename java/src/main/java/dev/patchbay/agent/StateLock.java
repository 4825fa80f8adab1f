// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.kernel.LockHolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The right to use a state directory: an advisory lock that the kernel takes back when the process
 * ends, however it ends. The file holds the owner's process id.
 */
public final class StateLock implements AutoCloseable {
  private static final String FILE = "agent.lock";

  private final FileChannel channel;

  private StateLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Creates the directory where it is missing, readable by its owner alone, and locks it.
   *
   * @throws UserError if the directory cannot be used, or another agent has it
   */
  static StateLock acquire(Path stateDir) throws UserError {
    try {
      if (!Files.isDirectory(stateDir)) {
        Files.createDirectories(
            stateDir,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      FileChannel channel =
          FileChannel.open(
              stateDir.resolve(FILE),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock == null) {
        String holder = describe(stateDir.resolve(FILE), pid(channel));
        channel.close();
        throw new UserError(
            "cannot use the state directory " + stateDir,
            "another agent has it" + holder,
            "stop that one, or give another --state-dir and --bpf-dir");
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)),
          0);
      return new StateLock(channel);
    } catch (IOException e) {
      throw new UserError(
          "cannot use the state directory " + stateDir,
          describe(e),
          "run as root, or give a writable directory with --state-dir");
    }
  }

  /**
   * The kernel knows the holder of a lock; the file says it to those who cannot see that process.
   */
  private static String describe(Path file, OptionalLong written) {
    return LockHolder.of(file)
        .or(
            () ->
                written.isPresent()
                    ? Optional.of(LockHolder.of(written.getAsLong()))
                    : Optional.empty())
        .map(holder -> ", " + holder)
        .orElse("");
  }

  /** The process id of the agent that has the directory now; empty if none has. */
  public static OptionalLong holder(Path stateDir) {
    try (FileChannel channel = FileChannel.open(stateDir.resolve(FILE), StandardOpenOption.READ)) {
      FileLock lock = channel.tryLock(0, Long.MAX_VALUE, true);
      return lock == null ? pid(channel) : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  private static OptionalLong pid(FileChannel channel) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(32);
    channel.read(buffer, 0);
    String text = new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII);
    return text.strip().matches("[0-9]{1,18}")
        ? OptionalLong.of(Long.parseLong(text.strip()))
        : OptionalLong.empty();
  }

  private static String describe(IOException e) {
    @Nullable String message = e.getMessage();
    return e instanceof NoSuchFileException
        ? "no such directory"
        : e instanceof java.nio.file.AccessDeniedException
            ? "permission denied"
            : message == null ? e.getClass().getSimpleName() : message;
  }

  /** Gives the directory back. */
  @Override
  public void close() throws IOException {
    channel.close();
  }
}
