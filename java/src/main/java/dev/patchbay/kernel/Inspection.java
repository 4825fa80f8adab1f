// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.kernel;

import java.util.List;

/**
 * What others did to the links, programs and pins of a dataplane that was attached.
 *
 * @param damage what is not as it was left, in no order; empty if all is well
 * @param strangers programs of others that run at the same hooks
 */
public record Inspection(List<Damage> damage, List<Stranger> strangers) {
  public Inspection {
    damage = List.copyOf(damage);
    strangers = List.copyOf(strangers);
  }

  /** What may have happened. */
  public enum Kind {
    /** The pin of a link or a map is gone, or something else is there. */
    UNPINNED,
    /** A link was detached. */
    DETACHED,
    /** Another program is behind a link. */
    PROGRAM_REPLACED,
    /** The program is not among those that the kernel runs for the cgroup. */
    NOT_EFFECTIVE
  }

  /**
   * Something that is not as it was left.
   *
   * @param kind what happened
   * @param subject the program or map
   * @param what a sentence without a full stop, for people
   */
  public record Damage(Kind kind, String subject, String what) {
    @Override
    public String toString() {
      return what;
    }
  }

  /**
   * A program of somebody else's.
   *
   * @param hook our program there
   * @param id the kernel's number of the other
   * @param name its name; empty if it may not be asked for
   * @param after whether it runs after ours, and so has the last word on the address
   */
  public record Stranger(String hook, int id, String name, boolean after) {
    @Override
    public String toString() {
      return "program "
          + id
          + (name.isEmpty() ? "" : " (" + name + ")")
          + " runs "
          + (after ? "after " : "before ")
          + hook;
    }
  }
}
