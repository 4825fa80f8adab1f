// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.abi;

/** {@code struct pb_watchers}, the only entry of {@code watchers}. */
public final class WatchersCodec {
  /** Bytes of the entry. */
  public static final int SIZE = Math.toIntExact(AbiLayouts.WATCHERS.byteSize());

  private WatchersCodec() {}
}
