// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.ObjectKey;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The metadata of an object, as far as it matters here.
 *
 * @param id its identity
 * @param labels may be empty
 * @param createdMillis since the epoch; {@link Long#MAX_VALUE} if unknown
 * @param deleted whether it has a {@code deletionTimestamp}
 */
record Metadata(ObjectId id, Map<String, String> labels, long createdMillis, boolean deleted) {

  /**
   * Reads {@code metadata}, and gives the reporter the object's name.
   *
   * @return null if the identity is not known; that is reported
   */
  static @Nullable Metadata read(Fields object, ObjectId.Kind kind) {
    Fields metadata = object.mapping("metadata");
    if (metadata == null) {
      if (!object.reporter().failed()) {
        object.error("metadata", "is missing");
      }
      return null;
    }
    boolean namespaced = kind != ObjectId.Kind.NODE;
    String name = metadata.text("name");
    String namespace = namespaced ? metadata.text("namespace") : ObjectId.NO_NAMESPACE;
    if (namespaced && namespace.isEmpty()) {
      namespace = "default";
    }
    if (object.reporter().failed()) {
      return null;
    }
    if (name.isEmpty()) {
      object.reporter().name(kind + " in namespace " + namespace);
      metadata.error("name", "is missing");
      return null;
    }
    ObjectId id = new ObjectId(kind, new ObjectKey(namespace, name));
    object.reporter().name(id.toString());
    if (namespaced && !Names.isLabel(namespace)) {
      metadata.error(
          "namespace",
          "\"" + namespace + "\" is not a valid namespace; allowed are " + Names.LABEL_RULE);
    }
    boolean service = kind == ObjectId.Kind.SERVICE;
    if (!(service ? Names.isLabel(name) : Names.isSubdomain(name))) {
      metadata.error(
          "name",
          "\""
              + name
              + "\" is not a valid name; allowed are "
              + (service ? Names.LABEL_RULE : Names.SUBDOMAIN_RULE));
    }
    return new Metadata(
        id,
        metadata.textMap("labels"),
        time(metadata, "creationTimestamp", Long.MAX_VALUE),
        time(metadata, "deletionTimestamp", Long.MAX_VALUE) != Long.MAX_VALUE);
  }

  private static long time(Fields metadata, String field, long otherwise) {
    String text = metadata.text(field);
    if (text.isEmpty()) {
      return otherwise;
    }
    try {
      return OffsetDateTime.parse(text).toInstant().toEpochMilli();
    } catch (DateTimeException _) {
      metadata.error(
          field, "\"" + text + "\" is not a time such as 2026-01-31T12:00:00Z (RFC 3339)");
      return otherwise;
    }
  }
}
