// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.table;

/**
 * The part of a {@code services} entry beside the word.
 *
 * @param affinitySeconds 0 without session affinity, else its timeout, 1 to 86400 seconds
 * @param policyLocal an empty range means "endpoints exist, policy forbids them all": sockets see
 *     {@code EHOSTUNREACH} instead of {@code ECONNREFUSED}
 * @param terminate TCP connections end when their backend leaves
 * @param backendStats connections are counted for each backend too
 * @param statsId under which connections are counted; 0: they are not, see {@link
 *     dev.patchbay.model.ServicePortKey#statsId}
 */
public record ServiceSettings(
    int affinitySeconds,
    boolean policyLocal,
    boolean terminate,
    boolean backendStats,
    long statsId) {
  public static final ServiceSettings NONE = new ServiceSettings(0, false);

  public ServiceSettings {
    if (affinitySeconds < 0 || affinitySeconds > 86400) {
      throw new IllegalArgumentException("session affinity of " + affinitySeconds + " s");
    }
  }

  /** Settings of a Service port that is not counted. */
  public ServiceSettings(int affinitySeconds, boolean policyLocal) {
    this(affinitySeconds, policyLocal, false, false, 0);
  }
}
