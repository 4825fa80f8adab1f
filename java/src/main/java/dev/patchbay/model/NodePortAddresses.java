// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * On which addresses of a node its node ports are served: kube-proxy's {@code nodePortAddresses}, a
 * list of ranges and keywords.
 *
 * <p>As in kube-proxy, each family stands for itself: where the list says nothing about a family,
 * all its addresses match, but for loopback ones, which match only if something names them.
 *
 * @param primary keyword {@code primary}: the primary addresses of the Node object
 * @param localhost keyword {@code localhost}: 127.0.0.0/8 and ::1
 * @param all keyword {@code all}: every address, loopback included
 * @param ranges the ranges, in the order given
 * @param loopback whether loopback addresses may match at all
 */
public record NodePortAddresses(
    boolean primary, boolean localhost, boolean all, List<Cidr> ranges, boolean loopback) {
  /** What holds where nothing is said: every address of the node, loopback included. */
  public static final NodePortAddresses ALL =
      new NodePortAddresses(false, false, true, List.of(), true);

  public NodePortAddresses {
    ranges = List.copyOf(ranges);
  }

  /** The outcome of {@link #parse}. */
  public sealed interface Parsed {
    /** All of it made sense. */
    record Good(NodePortAddresses addresses) implements Parsed {}

    /**
     * An element makes no sense.
     *
     * @param index which one, from 0
     * @param reason what is wrong and what is allowed
     */
    record Bad(int index, String text, String reason) implements Parsed {}
  }

  /** Reads the elements of a list; an empty list is {@link #ALL}. */
  public static Parsed parse(List<String> elements) {
    if (elements.isEmpty()) {
      return new Parsed.Good(ALL);
    }
    boolean primary = false;
    boolean localhost = false;
    boolean all = false;
    List<Cidr> ranges = new ArrayList<>();
    for (int i = 0; i < elements.size(); i++) {
      String element = elements.get(i);
      boolean again = false;
      switch (element) {
        case "primary" -> {
          again = primary;
          primary = true;
        }
        case "localhost" -> {
          again = localhost;
          localhost = true;
        }
        case "all" -> {
          again = all;
          all = true;
        }
        default -> {
          Cidr range = Cidr.parseMasked(element).orElse(null);
          if (range == null) {
            return new Parsed.Bad(
                i,
                element,
                "must be a range like 10.0.0.0/8 or fd00::/8, or one of the keywords primary,"
                    + " localhost, all");
          }
          ranges.add(range);
        }
      }
      if (again) {
        return new Parsed.Bad(i, element, "is there twice");
      }
    }
    return new Parsed.Good(new NodePortAddresses(primary, localhost, all, ranges, true));
  }

  /** The same without loopback addresses, whatever names them. */
  public NodePortAddresses withoutLoopback() {
    return new NodePortAddresses(primary, localhost, all, ranges, false);
  }

  /**
   * Whether node ports are served on an address of a node.
   *
   * @param address one of the node's addresses
   * @param primaries the node's primary addresses, at most one of each family; only {@code primary}
   *     looks at them
   */
  public boolean matches(IpAddress address, Collection<IpAddress> primaries) {
    IpFamily family = address.family();
    if (!loopback && address.isLoopback()) {
      return false;
    }
    if (all) {
      return true;
    }
    boolean spoken = localhost;
    if (localhost && address.isLoopback()) {
      return true;
    }
    if (primary) {
      for (IpAddress one : primaries) {
        if (one.family() == family && !one.isLoopback()) {
          if (one.equals(address)) {
            return true;
          }
          spoken = true;
        }
      }
    }
    for (Cidr range : ranges) {
      if (range.contains(address)) {
        return true;
      }
      spoken |= range.family() == family;
    }
    return !spoken && !address.isLoopback();
  }

  /** The list again, keywords first. */
  @Override
  public String toString() {
    List<String> words = new ArrayList<>();
    if (primary) {
      words.add("primary");
    }
    if (localhost) {
      words.add("localhost");
    }
    if (all) {
      words.add("all");
    }
    ranges.forEach(range -> words.add(range.toString()));
    return String.join(",", words);
  }
}
