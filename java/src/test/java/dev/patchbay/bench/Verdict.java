// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.bench;

/** What a figure means for its goal. */
public enum Verdict {
  /** The gate and more. */
  MOONSHOT("moonshot"),
  /** The gate. */
  MET("met"),
  /** Not the gate. */
  MISSED("missed"),
  /** It was measured while direct connections differed from themselves: it says nothing. */
  VOID("void"),
  /** Nobody measured it in this run. */
  NOT_MEASURED("not measured"),
  /** It has no goal. */
  NONE("");

  private final String title;

  Verdict(String title) {
    this.title = title;
  }

  /** In a word, for people. */
  public String title() {
    return title;
  }
}
