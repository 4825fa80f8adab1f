// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

import java.nio.file.Files;
import java.nio.file.Path;

/** The distribution under test. */
public final class Patchbay {
  private Patchbay() {}

  /** The top of the source tree. */
  public static Path root() {
    return Path.of(System.getProperty("patchbay.root", "..")).toAbsolutePath().normalize();
  }

  /** The distribution: {@code target/patchbay}, or system property {@code patchbay.home}. */
  public static Path home() {
    String home = System.getProperty("patchbay.home", "");
    return home.isEmpty() ? root().resolve("target/patchbay") : Path.of(home).toAbsolutePath();
  }

  /** The program that starts everything. */
  public static String binary() {
    Path binary = home().resolve("bin/patchbay");
    if (!Files.isExecutable(binary)) {
      throw new AssertionError(binary + " is missing: run \"make build\" first");
    }
    return binary.toString();
  }

  /** A number that shortens or prolongs a test, from a system property. */
  public static int setting(String property, int otherwise) {
    return Integer.getInteger(property, otherwise);
  }
}
