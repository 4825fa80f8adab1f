// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import dev.patchbay.manifest.Loaded;
import dev.patchbay.manifest.ManifestDirectoryException;
import dev.patchbay.manifest.ManifestSettings;
import dev.patchbay.manifest.ManifestSource;
import dev.patchbay.model.SourceUpdate;
import java.util.Map;
import java.util.function.Consumer;

/** A directory of manifests as the agent's source. */
final class ManifestFeed implements Source {
  private final ManifestSettings settings;
  private final ManifestSource manifests;
  private volatile int files;

  ManifestFeed(ManifestSettings settings) {
    this.settings = settings;
    manifests = new ManifestSource(settings);
  }

  @Override
  public SourceUpdate load() throws UserError {
    try {
      Loaded loaded = manifests.load();
      files = loaded.files();
      return loaded.update();
    } catch (ManifestDirectoryException e) {
      throw new UserError(
          "cannot read the manifests",
          e.getMessage(),
          "give a readable directory with --manifests");
    }
  }

  @Override
  public void watch(Consumer<SourceUpdate> to) {
    manifests.watch(loaded -> to.accept(loaded.update()));
  }

  @Override
  public String name() {
    return settings.directory().toString();
  }

  @Override
  public Map.Entry<String, Object> extent() {
    return Map.entry("manifests", files);
  }

  @Override
  public String trouble() {
    return "";
  }

  @Override
  public Notices notices() {
    return Notices.NONE;
  }

  @Override
  public void close() {
    manifests.close();
  }
}
