// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.io.IOException;

/**
 * The manifest directory is missing, is no directory, or cannot be listed. The message is one
 * sentence that names the directory and the reason.
 */
public final class ManifestDirectoryException extends IOException {
  private static final long serialVersionUID = 1;

  public ManifestDirectoryException(String message) {
    super(message);
  }
}
