// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.health;

import java.util.Locale;

/** What is checked. The name of each is a contract: metrics, {@code /healthz} and logs carry it. */
public enum Check {
  /** The agent has its source's first complete state in the kernel and the programs attached. */
  START,
  /** The last change set was written. */
  APPLY,
  /** All that is wanted fits the maps. */
  CAPACITY,
  /** The thread that writes the maps makes progress. */
  OWNER,
  /** The kernel runs our programs for the cgroup, and links and maps are pinned. */
  PROGRAMS,
  /** What is taken for the root of the cgroup hierarchy is the root. */
  CGROUP_ROOT,
  /** The maps hold what was written to them. */
  ROWS,
  /** A connect to the reserved IPv4 address comes back to the agent. */
  CANARY_IPV4,
  /** The same for IPv6. */
  CANARY_IPV6,
  /** The source can be reached. If not, what it last said goes on being served. */
  SOURCE;

  private final String label = name().toLowerCase(Locale.ROOT).replace('_', '-');

  /** The name for people and programs: {@code cgroup-root}. */
  public String label() {
    return label;
  }

  /** Whether the node is not healthy while it fails. */
  boolean gates() {
    return this != SOURCE;
  }
}
