// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent.jfr;

import dev.patchbay.reconcile.ApplyReport;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Rows were written to the maps. The event's own duration says how long it took. */
@Name("dev.patchbay.Apply")
@Label("Apply")
@Category("Patchbay")
@Description("Rows that differ were written to the maps")
@StackTrace(false)
@Enabled
public final class ApplyEvent extends Event {
  @Label("Ranges")
  @Description("Sets of backends written")
  private int ranges;

  @Label("Backends")
  @Description("Rows in those sets")
  private int backends;

  @Label("Words")
  @Description("Words published")
  private int words;

  @Label("Frontends upserted")
  private int frontendsUpserted;

  @Label("Frontends deleted")
  private int frontendsDeleted;

  @Label("Rounds")
  @Description("Plans carried out; more than one if the first had to make room")
  private int rounds;

  @Label("Failures")
  @Description("Calls that the kernel refused")
  private int failures;

  private ApplyEvent() {}

  /** Begins one. */
  public static ApplyEvent begun() {
    ApplyEvent event = new ApplyEvent();
    event.begin();
    return event;
  }

  /** Ends it. */
  public void done(ApplyReport report) {
    ranges = report.rangesWritten();
    backends = report.backendsWritten();
    words = report.wordsPublished();
    frontendsUpserted = report.frontendsUpserted();
    frontendsDeleted = report.frontendsDeleted();
    rounds = report.rounds();
    failures = report.failures().size();
    commit();
  }

  @Override
  public String toString() {
    return "ApplyEvent[ranges="
        + ranges
        + ", backends="
        + backends
        + ", words="
        + words
        + ", frontendsUpserted="
        + frontendsUpserted
        + ", frontendsDeleted="
        + frontendsDeleted
        + ", rounds="
        + rounds
        + ", failures="
        + failures
        + "]";
  }
}
