// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Bench;

/** What the programs cost by themselves, as the kernel counts it. */
final class ProgramCosts {
  private final Bench bench;
  private final Sites sites;

  ProgramCosts(Bench bench, Sites sites) {
    this.bench = bench;
    this.sites = sites;
  }

  void run() {}
}
