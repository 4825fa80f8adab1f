// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.manifest;

import dev.patchbay.model.Problem;
import dev.patchbay.model.Problem.Severity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads files and translates their documents, in parallel where there is much to do. */
final class ManifestReader {
  /** A file that was read, or could not be: then the text is empty and the reason is not. */
  private record Text(String file, String text, String failure, List<Documents.Part> parts) {
    boolean isJson() {
      return file.endsWith(".json");
    }
  }

  /** One document of a YAML file, or a whole JSON file. */
  private record Unit(Text text, Documents.Part part) {}

  private static final Logger LOG = LoggerFactory.getLogger(ManifestReader.class);

  private final ObjectTranslator translator;

  ManifestReader(ManifestSettings settings) {
    this.translator = new ObjectTranslator(settings);
  }

  /** Reads files of a directory. Never fails: what is wrong is in the result. */
  List<FileVersion> read(Path directory, List<String> files) {
    List<Text> texts = Parallel.map(files, file -> text(directory, file));
    List<Unit> units = new ArrayList<>();
    for (Text text : texts) {
      for (Documents.Part part : text.parts) {
        units.add(new Unit(text, part));
      }
    }
    List<Translation> translations = Parallel.map(units, this::translate);
    Map<String, List<Translation>> byFile = new TreeMap<>();
    for (int i = 0; i < units.size(); i++) {
      byFile
          .computeIfAbsent(units.get(i).text.file, _ -> new ArrayList<>())
          .add(translations.get(i));
    }
    List<FileVersion> versions = new ArrayList<>(files.size());
    for (Text text : texts) {
      versions.add(
          text.failure.isEmpty()
              ? FileVersion.of(text.file, byFile.getOrDefault(text.file, List.of()))
              : FileVersion.unreadable(text.file, text.failure));
    }
    return versions;
  }

  private static Text text(Path directory, String file) {
    try {
      String text = TextFile.read(directory.resolve(file));
      List<Documents.Part> parts =
          file.endsWith(".json")
              ? List.of(new Documents.Part(0, text.length(), 1))
              : Documents.split(text);
      return new Text(file, text, "", parts);
    } catch (IOException e) {
      return new Text(file, "", String.valueOf(e.getMessage()), List.of());
    }
  }

  /**
   * Translates without line numbers, which is faster; and again with them if something is wrong.
   */
  private Translation translate(Unit unit) {
    Translation translation = translate(unit, false);
    return translation.hasFaults() ? translate(unit, true) : translation;
  }

  private Translation translate(Unit unit, boolean lines) {
    Translation into = new Translation();
    try {
      if (unit.text.isJson()) {
        json(unit.text, lines, into);
      } else {
        yaml(unit, lines, into);
      }
    } catch (RuntimeException e) {
      // A defect here must cost one document, not the agent.
      LOG.error("{}, document {} cannot be translated", unit.text.file, unit.part.number(), e);
      broken(
          new Origin(unit.text.file, unit.part.number()),
          new SyntaxException("cannot be translated because of a defect of Patchbay: " + e),
          into);
    }
    return into;
  }

  private void yaml(Unit unit, boolean lines, Translation into) {
    Text file = unit.text;
    Documents.Part part = unit.part;
    Origin origin = new Origin(file.file, part.number());
    try {
      Node root = lines ? treeWithLines(file.text, part) : tree(file.text, part);
      if (root != null) {
        translator.translate(root, origin, into);
      }
    } catch (SyntaxException e) {
      broken(origin, e, into);
    }
  }

  private static @Nullable Node tree(String text, Documents.Part part) throws SyntaxException {
    BlockReader.Result result = BlockReader.read(text, part.from(), part.to());
    return result.declined()
        ? YamlReader.read(text.substring(part.from(), part.to()))
        : result.root();
  }

  private static @Nullable Node treeWithLines(String text, Documents.Part part)
      throws SyntaxException {
    return YamlReader.readWithLines(
        text.substring(part.from(), part.to()), Documents.firstLine(text, part));
  }

  private void json(Text file, boolean lines, Translation into) {
    int number = 1;
    try (JsonReader reader = new JsonReader(file.text, lines)) {
      for (Node root = reader.next(); root != null; root = reader.next()) {
        translator.translate(root, new Origin(file.file, number), into);
        number++;
      }
    } catch (SyntaxException e) {
      broken(new Origin(file.file, number), e, into);
    }
  }

  private static void broken(Origin origin, SyntaxException e, Translation into) {
    into.unidentified = true;
    into.problems.add(
        new Problem(
            Severity.ERROR,
            origin.file(),
            origin.document(),
            "",
            "",
            String.valueOf(e.getMessage())));
  }
}
