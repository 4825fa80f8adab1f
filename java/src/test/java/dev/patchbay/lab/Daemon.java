// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** A process in the background, with its outputs in files. */
public final class Daemon {
  private final List<String> command;
  private final Process process;
  private final Path out;
  private final Path err;

  /** Starts a process. */
  Daemon(List<String> command, Path out, Path err) {
    this.command = List.copyOf(command);
    this.out = out;
    this.err = err;
    try {
      this.process =
          new ProcessBuilder(command)
              .redirectInput(Path.of("/dev/null").toFile())
              .redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile()))
              .redirectError(ProcessBuilder.Redirect.appendTo(err.toFile()))
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Its process id. */
  public long pid() {
    return process.pid();
  }

  /** Whether it runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** What it has written to standard output so far, without a line that it has only begun. */
  public String out() {
    return read(out);
  }

  /** The same of standard error. */
  public String err() {
    return read(err);
  }

  private String read(Path file) {
    boolean alive = isAlive();
    try {
      String text = Commands.read(file);
      return alive ? text.substring(0, text.lastIndexOf('\n') + 1) : text;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for a line on standard output; fails at once if the process ends without it. */
  public Daemon awaitOut(String regex, Duration limit) {
    return await(this::out, regex, limit);
  }

  /** The same on standard error. */
  public Daemon awaitErr(String regex, Duration limit) {
    return await(this::err, regex, limit);
  }

  private Daemon await(Supplier<String> text, String regex, Duration limit) {
    Pattern pattern = Pattern.compile(regex, Pattern.MULTILINE);
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      boolean alive = isAlive();
      if (pattern.matcher(text.get()).find()) {
        return this;
      }
      if (!alive || System.nanoTime() > end) {
        throw new AssertionError(
            "no line /%s/ from %s, which %s%n--- stdout%n%s--- stderr%n%s"
                .formatted(
                    regex,
                    String.join(" ", command),
                    alive ? "still runs after " + limit : "has ended with " + process.exitValue(),
                    out(),
                    err()));
      }
      Eventually.pause(2_000_000);
    }
  }

  /** Sends SIGTERM. */
  public void terminate() {
    process.destroy();
  }

  /** Sends SIGKILL and waits for the end. */
  public void kill() {
    process.destroyForcibly();
    awaitExit(Commands.PATIENCE);
  }

  /** Waits for its end and gives the exit code (128 + signal number after a signal). */
  public int awaitExit(Duration limit) {
    try {
      if (process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        return process.exitValue();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
    throw new AssertionError(String.join(" ", command) + " still runs after " + limit);
  }
}
