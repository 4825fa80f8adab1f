// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.SourceUpdate;
import java.time.Duration;

/**
 * What the manifests say now.
 *
 * @param update relative to what was told before; all there is the first time. Without Services if
 *     only problems or Nodes differ
 * @param files manifest files found, readable or not
 * @param objects objects in force, of all kinds
 * @param took from noticing the change to this value
 */
public record Loaded(SourceUpdate update, int files, int objects, Duration took) {}
