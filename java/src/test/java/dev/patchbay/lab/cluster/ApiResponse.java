// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.lab.cluster;

import dev.patchbay.lab.Json;

/**
 * An answer of the API server.
 *
 * @param request method and path, for messages
 * @param status the HTTP status
 * @param body as it came
 */
public record ApiResponse(String request, int status, String body) {
  /** Whether the status is one of success. */
  public boolean isOk() {
    return status >= 200 && status < 300;
  }

  /** This, if the request succeeded; otherwise an {@link AssertionError} with the answer. */
  public ApiResponse orFail() {
    if (!isOk()) {
      throw new AssertionError(this);
    }
    return this;
  }

  /** The body as JSON. */
  public Json json() {
    return Json.parse(body);
  }

  @Override
  public String toString() {
    return request + ": " + status + "\n" + body;
  }
}
