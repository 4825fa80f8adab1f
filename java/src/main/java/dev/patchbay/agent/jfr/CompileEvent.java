// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.jfr;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Changes were turned into rows of the maps. The event's own duration says how long it took. */
@Name("dev.patchbay.Compile")
@Label("Compile")
@Category("Patchbay")
@Description("Changes of Services were turned into rows of the maps")
@StackTrace(false)
@Enabled
public final class CompileEvent extends Event {
  @Label("Full")
  @Description("Whether all Services were looked at")
  private final boolean full;

  @Label("Services")
  @Description("Services that were added, changed or removed")
  private int services;

  @Label("Rows")
  @Description("Service ports whose rows differ")
  private int rows;

  private CompileEvent(boolean full) {
    this.full = full;
  }

  /** Begins one. */
  public static CompileEvent begun(boolean full) {
    CompileEvent event = new CompileEvent(full);
    event.begin();
    return event;
  }

  /**
   * Ends it.
   *
   * @param changed Services that were added, changed or removed
   * @param differing Service ports whose rows differ
   */
  public void done(int changed, int differing) {
    services = changed;
    rows = differing;
    commit();
  }

  @Override
  public String toString() {
    return "CompileEvent[full=" + full + ", services=" + services + ", rows=" + rows + "]";
  }
}
