// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.model.ObjectKey;

/**
 * Tells those who own a Service what became of it, where they look: as an Event in a cluster. Never
 * blocks, and may drop what was told before. The reason is one word in CamelCase, the message a
 * sentence.
 */
interface Notices {
  /** Nobody is told; the log has it all. */
  Notices NONE =
      new Notices() {
        @Override
        public void warn(ObjectKey service, String reason, String message) {}

        @Override
        public void warnOfNode(ObjectKey service, String reason, String message) {}
      };

  /** Warns about the Service: all nodes say the same of it. */
  void warn(ObjectKey service, String reason, String message);

  /** Warns about the Service on this node. */
  void warnOfNode(ObjectKey service, String reason, String message);
}
