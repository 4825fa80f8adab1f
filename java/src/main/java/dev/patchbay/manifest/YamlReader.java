// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.common.Anchor;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/**
 * Builds the tree of one YAML document from parser events.
 *
 * <p>An alias is a reference to the node that its anchor names, so the tree itself cannot explode;
 * but whoever walks it would. Hence three limits: aliases, nodes reached through aliases, depth.
 */
final class YamlReader {
  static final int MAX_DEPTH = 64;
  static final int MAX_ALIASES = 100;
  static final int MAX_ALIASED_NODES = 1_000_000;

  private static final LoadSettings FAST = settings(false);
  private static final LoadSettings WITH_LINES = settings(true);

  private record Anchored(Node node, int nodes) {}

  private final ParserImpl events;
  private final int firstLine;
  private final boolean lines;
  private @Nullable Map<Anchor, Anchored> anchors;
  private int aliases;
  private int nodes;
  private int aliasedNodes;

  private YamlReader(String text, boolean lines, int firstLine) {
    LoadSettings settings = lines ? WITH_LINES : FAST;
    this.events = new ParserImpl(settings, new StreamReader(settings, text));
    this.lines = lines;
    this.firstLine = firstLine;
  }

  /**
   * Reads the one document of a text, as fast as possible: without line numbers.
   *
   * @return null if there is nothing but white space and comments
   * @throws SyntaxException without a line number
   */
  static @Nullable Node read(String document) throws SyntaxException {
    return read(document, false, 0);
  }

  /**
   * Reads the one document of a text, with line numbers.
   *
   * @param firstLine the line of the file on which the text begins, from 1
   * @return null if there is nothing but white space and comments
   */
  static @Nullable Node readWithLines(String document, int firstLine) throws SyntaxException {
    return read(document, true, firstLine);
  }

  private static @Nullable Node read(String document, boolean lines, int firstLine)
      throws SyntaxException {
    try {
      return new YamlReader(document, lines, firstLine).document();
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(m -> m.getLine() + firstLine).orElse(0);
      throw new SyntaxException("is not valid YAML: " + oneLine(e.getProblem()), line);
    } catch (YamlEngineException e) {
      throw new SyntaxException("is not valid YAML: " + oneLine(e.getMessage()));
    }
  }

  private @Nullable Node document() throws SyntaxException {
    events.next(); // stream start
    if (events.checkEvent(Event.ID.StreamEnd)) {
      return null;
    }
    events.next(); // document start
    Node root = node(events.next(), 0);
    events.next(); // document end
    Event end = events.next();
    if (end.getEventId() != Event.ID.StreamEnd) {
      throw new SyntaxException("holds two documents that no line \"---\" separates", line(end));
    }
    return root instanceof Scalar scalar && scalar.isNull() ? null : root;
  }

  private Node node(Event event, int depth) throws SyntaxException {
    if (depth > MAX_DEPTH) {
      throw new SyntaxException("is nested deeper than " + MAX_DEPTH + " levels", line(event));
    }
    nodes++;
    int before = nodes;
    Node node;
    switch (event.getEventId()) {
      case Scalar -> node = scalar((ScalarEvent) event);
      case SequenceStart -> node = sequence((CollectionStartEvent) event, depth);
      case MappingStart -> node = mapping((CollectionStartEvent) event, depth);
      default -> {
        return alias((AliasEvent) event);
      }
    }
    Optional<Anchor> anchor = ((NodeEvent) event).getAnchor();
    if (anchor.isPresent()) {
      if (anchors == null) {
        anchors = new HashMap<>();
      }
      anchors.put(anchor.get(), new Anchored(node, nodes - before + 1));
    }
    return node;
  }

  private Scalar scalar(ScalarEvent event) {
    boolean plain = event.isPlain();
    Optional<String> tag = event.getTag();
    if (tag.isPresent()) {
      plain =
          switch (tag.get()) {
            case "tag:yaml.org,2002:int",
                "tag:yaml.org,2002:bool",
                "tag:yaml.org,2002:float",
                "tag:yaml.org,2002:null" ->
                true;
            default -> false;
          };
    }
    return new Scalar(event.getValue(), plain, line(event));
  }

  private Sequence sequence(CollectionStartEvent start, int depth) throws SyntaxException {
    List<Node> items = new ArrayList<>();
    Event event = events.next();
    while (event.getEventId() != Event.ID.SequenceEnd) {
      items.add(node(event, depth + 1));
      event = events.next();
    }
    return new Sequence(items, line(start));
  }

  private Mapping mapping(CollectionStartEvent start, int depth) throws SyntaxException {
    Mapping.Builder entries = new Mapping.Builder();
    Node merged = null;
    Event event = events.next();
    while (event.getEventId() != Event.ID.MappingEnd) {
      if (!(node(event, depth + 1) instanceof Scalar key)) {
        throw new SyntaxException("has a mapping key that is not a string", line(event));
      }
      Node value = node(events.next(), depth + 1);
      boolean merge = key.plain() && key.text().equals("<<");
      if (merge && merged == null) {
        merged = value;
      } else if (merge || !entries.add(key.text(), value)) {
        throw new SyntaxException("has the key \"" + key.text() + "\" twice", line(event));
      }
      event = events.next();
    }
    if (merged != null) {
      merge(entries, merged, line(start));
    }
    return entries.build(line(start));
  }

  private static void merge(Mapping.Builder into, Node merged, int line) throws SyntaxException {
    List<Node> sources = merged instanceof Sequence list ? list.items() : List.of(merged);
    for (Node source : sources) {
      if (!(source instanceof Mapping mapping)) {
        throw new SyntaxException("merges " + source.what() + " into a mapping with \"<<\"", line);
      }
      for (int i = 0; i < mapping.size(); i++) {
        into.add(mapping.key(i), mapping.value(i));
      }
    }
  }

  private Node alias(AliasEvent event) throws SyntaxException {
    Anchored anchored = anchors == null ? null : anchors.get(event.getAlias());
    if (anchored == null) {
      throw new SyntaxException(
          "uses the alias *" + event.getAlias() + " before its anchor is complete", line(event));
    }
    if (++aliases > MAX_ALIASES) {
      throw new SyntaxException("uses more than " + MAX_ALIASES + " aliases", line(event));
    }
    aliasedNodes += anchored.nodes;
    nodes += anchored.nodes;
    if (aliasedNodes > MAX_ALIASED_NODES) {
      throw new SyntaxException(
          "reaches more than " + MAX_ALIASED_NODES + " nodes through aliases", line(event));
    }
    return anchored.node;
  }

  private int line(Event event) {
    if (!lines) {
      return 0;
    }
    Optional<Mark> mark = event.getStartMark();
    return mark.isPresent() ? mark.get().getLine() + firstLine : 0;
  }

  private static String oneLine(@Nullable String message) {
    String text = message == null ? "unknown reason" : message.strip();
    int newline = text.indexOf('\n');
    return newline < 0 ? text : text.substring(0, newline);
  }

  private static LoadSettings settings(boolean marks) {
    return LoadSettings.builder()
        .setUseMarks(marks)
        .setParseComments(false)
        .setCodePointLimit(Integer.MAX_VALUE)
        .build();
  }
}
