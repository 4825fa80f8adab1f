// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kube;

import dev.patchbay.model.EndpointSlice;
import dev.patchbay.model.NodeInfo;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Service;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An object of the API after translation: what of it is kept in memory. */
sealed interface KubeObject {
  ObjectKey key();

  /** What is odd about it. */
  List<Finding> findings();

  /** Whether it says the same, so that nobody needs to hear of it. */
  boolean saysTheSame(KubeObject other);

  /**
   * A Service.
   *
   * @param uid {@code metadata.uid}
   */
  record ServiceObject(ObjectKey key, String uid, Service service, List<Finding> findings)
      implements KubeObject {
    @Override
    public boolean saysTheSame(KubeObject other) {
      return other instanceof ServiceObject that
          && uid.equals(that.uid)
          && service.equals(that.service)
          && findings.equals(that.findings);
    }
  }

  /**
   * An EndpointSlice.
   *
   * @param service the Service it belongs to; null if it says none
   * @param slice its endpoints; null if none of it is of use
   * @param triggerMillis when what it follows from changed, in milliseconds since the epoch; {@link
   *     Long#MAX_VALUE} if unknown. Says nothing about the endpoints
   */
  record SliceObject(
      ObjectKey key,
      @Nullable ObjectKey service,
      @Nullable EndpointSlice slice,
      long triggerMillis,
      List<Finding> findings)
      implements KubeObject {
    @Override
    public boolean saysTheSame(KubeObject other) {
      return other instanceof SliceObject that
          && Objects.equals(service, that.service)
          && Objects.equals(slice, that.slice)
          && findings.equals(that.findings);
    }
  }

  /**
   * A Node.
   *
   * @param key with an empty namespace
   */
  record NodeObject(ObjectKey key, NodeInfo node, List<Finding> findings) implements KubeObject {
    @Override
    public boolean saysTheSame(KubeObject other) {
      return other instanceof NodeObject that
          && node.equals(that.node)
          && findings.equals(that.findings);
    }
  }
}
