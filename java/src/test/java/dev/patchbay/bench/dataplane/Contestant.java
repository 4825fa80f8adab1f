// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench.dataplane;

import dev.patchbay.bench.Peer;

/**
 * What takes part in a race.
 *
 * @param key unique in its race, and the same in each run of the benchmarks
 * @param peer what it is
 * @param services how many Services there are; 0: it knows none
 * @param generator which makes its load
 * @param targets to where, as the generator calls it
 */
record Contestant(String key, Peer peer, int services, Generator generator, String targets) {}
