// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/** Prints the end of what agents wrote when a test fails. */
final class AgentLogs implements TestWatcher {
  private static final int TAIL = 6000;

  @Override
  public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
    for (Lab lab : Lab.open()) {
      for (Node node : lab.nodes()) {
        node.lastAgentIfAny()
            .ifPresent(
                agent ->
                    System.err.printf(
                        "--- agent of %s after %s%n%s%n%s%n",
                        node, context.getDisplayName(), tail(agent.out()), tail(agent.err())));
      }
      lab.logs().forEach(log -> System.err.println(log.get()));
    }
  }

  private static String tail(String text) {
    return text.substring(Math.max(0, text.length() - TAIL));
  }
}
