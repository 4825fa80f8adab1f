// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends the agent on SIGTERM and SIGINT: asks the owner to stop, holds the JVM's end back until the
 * agent has put its things in order, and then makes the exit code 0, because being stopped is no
 * failure. An agent that is not done in time is ended with the signal's own exit code.
 */
public final class Stopper implements AutoCloseable {
  private static final long PATIENCE_MILLIS = 1000;

  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread hook;

  private Stopper(Runnable stop) {
    hook =
        Thread.ofPlatform()
            .name("patchbay-stop")
            .unstarted(
                () -> {
                  stop.run();
                  if (agentClosed()) {
                    Runtime.getRuntime().halt(0);
                  }
                });
  }

  /** Calls {@code stop} when the process is told to end. */
  public static Stopper install(Runnable stop) {
    Stopper stopper = new Stopper(stop);
    Runtime.getRuntime().addShutdownHook(stopper.hook);
    return stopper;
  }

  private boolean agentClosed() {
    try {
      return closed.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** The agent has ended: by itself, or because it was asked to. */
  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shutdownInProgress) {
      closed.countDown();
    }
  }
}
