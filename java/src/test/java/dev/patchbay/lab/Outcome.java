// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab;

/**
 * How a request to a {@link Client} ended.
 *
 * @param name {@link #OK}, or the name of an error such as {@code ECONNREFUSED}, {@code TIMEOUT},
 *     {@code EOF}
 * @param value what a successful request gave; JSON null otherwise
 */
public record Outcome(String name, Json value) {
  /** Success. */
  public static final String OK = "ok";

  /** There is no listener, or a Service has no endpoint. */
  public static final String REFUSED = "ECONNREFUSED";

  /** In the lab: the address is a Service's and was not translated; no route leads to it. */
  public static final String NOT_TRANSLATED = "ENETUNREACH";

  /** Whether the request succeeded. */
  public boolean isOk() {
    return name.equals(OK);
  }

  @Override
  public String toString() {
    return isOk() ? OK + " " + value : name;
  }
}
