// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

/** The version of this build. */
public final class Version {
  private Version() {}

  /** As in the jar's manifest; {@code dev} when run from class files. */
  public static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "dev" : version;
  }
}
