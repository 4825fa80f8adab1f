// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.compile;

import dev.patchbay.model.Endpoint;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.table.Backend;
import org.jspecify.annotations.Nullable;

/**
 * What endpoint selection decided about one endpoint, for one port of a Service.
 *
 * @param slice the slice that lists the endpoint
 * @param endpoint the endpoint
 * @param backend where connections to it would go; null exactly if the reason is {@link
 *     Reason#NO_SUCH_PORT}
 * @param reason why it was chosen or not
 */
public record Decision(
    ObjectKey slice, Endpoint endpoint, @Nullable Backend backend, Reason reason) {

  /** Whether connections may go there because of this entry. */
  public boolean chosen() {
    return reason.chosen();
  }

  /** Why an endpoint was chosen or not; each with a sentence for people. */
  public enum Reason {
    READY(true, "ready"),
    NOT_READY_BUT_PUBLISHED(
        true, "not ready, but the Service publishes addresses that are not ready"),
    SERVING_WHILE_TERMINATING(true, "terminating but still serving, and no endpoint is ready"),
    NOT_READY(false, "not ready"),
    TERMINATING(false, "terminating, and other endpoints are ready"),
    TERMINATED(false, "terminating and no longer serving"),
    NO_SUCH_PORT(false, "its slice has no port with the name and protocol of the Service port"),
    DUPLICATE(false, "another entry with the same address and port speaks for it"),
    OVER_LIMIT(false, "a Service port can have at most 65535 endpoints, and others come first");

    private final boolean chosen;
    private final String sentence;

    Reason(boolean chosen, String sentence) {
      this.chosen = chosen;
      this.sentence = sentence;
    }

    public boolean chosen() {
      return chosen;
    }

    /** Lower case, without a full stop. */
    public String sentence() {
      return sentence;
    }
  }
}
