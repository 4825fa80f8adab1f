// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Problem.Severity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns the tree of a document into objects: finds out what it is, takes lists apart, and hands
 * each object to the translator of its kind. Immutable, usable by several threads.
 */
final class ObjectTranslator {
  private final ServiceTranslator services;

  ObjectTranslator(ManifestSettings settings) {
    this.services = new ServiceTranslator(settings);
  }

  /**
   * Translates a document.
   *
   * @param root its tree
   * @param into receives objects and problems
   */
  void translate(Node root, Origin origin, Translation into) {
    Reporter reporter = new Reporter(origin);
    if (root instanceof Mapping mapping) {
      document(mapping, reporter, into);
    } else {
      reporter.report(
          Severity.ERROR,
          "",
          "is " + root.what() + ", not an object with apiVersion, kind and metadata",
          root.line());
      into.unidentified = true;
    }
    into.problems.addAll(reporter.problems());
  }

  private void document(Mapping root, Reporter reporter, Translation into) {
    Fields fields = Fields.of(root, reporter, "");
    String kind = fields.requiredText("kind");
    if (!kind.endsWith("List")) {
      object(fields, kind, fields.requiredText("apiVersion"), into);
      return;
    }
    String itemKind = kind.substring(0, kind.length() - "List".length());
    if (!itemKind.isEmpty() && kind(itemKind) == null) {
      ignored(fields, kind);
      return;
    }
    Node items = root.get("items");
    if (items != null && !(items instanceof Sequence)) {
      fields.error("items", "is " + items.what() + ", not a list");
      into.unidentified = true;
    } else if (items instanceof Sequence sequence) {
      items(sequence.items(), itemKind, fields.text("apiVersion"), reporter, into);
    }
  }

  private void items(
      List<Node> items, String kind, String apiVersion, Reporter list, Translation into) {
    for (int i = 0; i < items.size(); i++) {
      String path = "items[" + i + "]";
      if (!(items.get(i) instanceof Mapping mapping)) {
        list.report(
            Severity.ERROR,
            path,
            "is " + items.get(i).what() + ", not an object",
            items.get(i).line());
        into.unidentified = true;
        continue;
      }
      Reporter reporter = new Reporter(list.origin());
      Fields fields = Fields.of(mapping, reporter, path);
      // The items of a typed list, as the API server sends it, say neither kind nor version.
      boolean typed = !kind.isEmpty();
      String itemKind = typed && !fields.has("kind") ? kind : fields.requiredText("kind");
      String itemVersion =
          typed && !fields.has("apiVersion") ? apiVersion : fields.requiredText("apiVersion");
      if (itemKind.endsWith("List")) {
        fields.error("kind", "is " + itemKind + ": a list inside a list is not read");
        into.unidentified = true;
      } else {
        object(fields, itemKind, itemVersion, into);
      }
      into.problems.addAll(reporter.problems());
    }
  }

  private void object(Fields fields, String kindText, String apiVersion, Translation into) {
    Reporter reporter = fields.reporter();
    if (reporter.failed()) {
      into.unidentified = true;
      return;
    }
    ObjectId.Kind kind = kind(kindText);
    if (kind == null || isForeignGroup(apiVersion)) {
      ignored(fields, kind == null ? kindText : kindText + " of " + apiVersion);
      return;
    }
    if (!apiVersion.equals(kind.apiVersion())) {
      fields.error(
          "apiVersion",
          "\""
              + apiVersion
              + "\" is not known for kind "
              + kind
              + "; \""
              + kind.apiVersion()
              + "\" is");
      into.unidentified = true;
      return;
    }
    Metadata metadata = Metadata.read(fields, kind);
    if (metadata == null) {
      into.unidentified = true;
      return;
    }
    ManifestObject object =
        switch (kind) {
          case SERVICE -> services.translate(fields, metadata);
          case ENDPOINTS -> EndpointsTranslator.endpoints(fields, metadata);
          case ENDPOINT_SLICE -> EndpointsTranslator.slice(fields, metadata);
          case POD -> PodTranslator.translate(fields, metadata);
          case NODE -> NodeTranslator.translate(fields, metadata);
        };
    if (reporter.failed()) {
      into.rejected.add(metadata.id());
    } else if (object != null) {
      into.objects.add(object);
    }
  }

  /** Groups of custom resources and aggregated APIs, which may have kinds of the same names. */
  private static boolean isForeignGroup(String apiVersion) {
    int slash = apiVersion.indexOf('/');
    return slash > 0
        && apiVersion.lastIndexOf('.', slash) >= 0
        && !apiVersion.startsWith(".k8s.io/", slash - ".k8s.io".length());
  }

  private static void ignored(Fields fields, String what) {
    fields.reporter().name(name(fields, what));
    fields.report(
        Severity.NOTE,
        "kind",
        what + " is skipped; used are Service, Endpoints, EndpointSlice, Pod and Node");
  }

  /** A name for an object of unknown kind, from whatever is there. */
  private static String name(Fields fields, String kind) {
    Reporter silent = new Reporter(fields.reporter().origin());
    Fields metadata = fields.with(silent).mapping("metadata");
    if (metadata == null || metadata.text("name").isEmpty()) {
      return "";
    }
    String namespace = metadata.text("namespace");
    return kind + " " + (namespace.isEmpty() ? "" : namespace + "/") + metadata.text("name");
  }

  private static ObjectId.@Nullable Kind kind(String text) {
    return switch (text) {
      case "Service" -> ObjectId.Kind.SERVICE;
      case "Endpoints" -> ObjectId.Kind.ENDPOINTS;
      case "EndpointSlice" -> ObjectId.Kind.ENDPOINT_SLICE;
      case "Pod" -> ObjectId.Kind.POD;
      case "Node" -> ObjectId.Kind.NODE;
      default -> null;
    };
  }
}
