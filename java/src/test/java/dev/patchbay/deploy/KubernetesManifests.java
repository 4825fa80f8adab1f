// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.deploy;

import dev.patchbay.lab.Patchbay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/** The manifests in {@code java/src/main/kubernetes}. */
public final class KubernetesManifests {
  static final Path DIRECTORY = Patchbay.root().resolve("java/src/main/kubernetes");

  private KubernetesManifests() {}

  static String text(String file) {
    try {
      return Files.readString(DIRECTORY.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All documents of a text. */
  static List<Map<?, ?>> documents(String text) {
    List<Map<?, ?>> documents = new ArrayList<>();
    for (Object document :
        new Load(LoadSettings.builder().setSchema(new CoreSchema()).build())
            .loadAllFromString(text)) {
      documents.add((Map<?, ?>) document);
    }
    return documents;
  }

  /** The object of a kind in {@code patchbay.yaml}. */
  static Map<?, ?> object(String kind) {
    return documents(text("patchbay.yaml")).stream()
        .filter(document -> kind.equals(document.get("kind")))
        .findFirst()
        .orElseThrow(() -> new AssertionError("patchbay.yaml has no " + kind));
  }

  /** What lies at a path of names and indexes, {@code spec/template/spec/containers/0}. */
  static Object at(Object root, String path) {
    Object here = root;
    for (String step : path.split("/", -1)) {
      Object next =
          here instanceof List<?> list
              ? list.get(Integer.parseInt(step))
              : here instanceof Map<?, ?> map ? map.get(step) : null;
      if (next == null) {
        throw new AssertionError("nothing at " + step + " of " + path);
      }
      here = next;
    }
    return here;
  }

  /** The same, which is a list of texts. */
  static List<String> texts(Object root, String path) {
    return ((List<?>) at(root, path)).stream().map(String::valueOf).toList();
  }

  /** The container of the DaemonSet. */
  static Map<?, ?> container() {
    return (Map<?, ?>) at(object("DaemonSet"), "spec/template/spec/containers/0");
  }

  /** Capabilities that the container is given, without {@code CAP_}; it is given no others. */
  public static List<String> capabilities() {
    if (!texts(container(), "securityContext/capabilities/drop").equals(List.of("ALL"))) {
      throw new AssertionError("not all other capabilities are dropped");
    }
    return texts(container(), "securityContext/capabilities/add");
  }
}
