// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

/** Somebody who wants to know what the manifests say, each time that changes. */
@FunctionalInterface
public interface ManifestListener {
  /**
   * The manifests say something else now. Called on the thread {@code patchbay-manifests}, one call
   * at a time, in order; each {@link Loaded#update()} is relative to the call before (the first
   * one: to {@link ManifestSource#load()}), so no call may be dropped. While a call lasts no file
   * is read: hand the value over and return. An exception is logged and does not end the watch.
   */
  void changed(Loaded loaded);
}
