// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Gives the classes of jars that were compiled for Java 5 and older the stack maps that later ones have: {@code java
 * StackMaps.java JAR...}, in place; jars without such classes stay as they are.
 *
 * <p>The JVM verifies classes without stack maps in an old and slow way, and takes none of them into an AOT cache.
 * Nothing else of a class changes.
 */
final class StackMaps {
  /** Java 8: the oldest class files that must have stack maps and hold no JSR instruction. */
  private static final int VERSION = ClassFile.JAVA_8_VERSION;

  private static final String NOTICE = "META-INF/STACK-MAPS.txt";
  private static final String NOTICE_TEXT =
      "Stack maps were added to the classes of this jar when Patchbay was built. Nothing else was changed.\n";

  /** Writes each instruction anew: code that is only copied gets no stack maps. */
  private static final ClassTransform NEWER =
      ClassTransform.transformingMethodBodies((code, element) -> code.with(element))
          .andThen(
              (builder, element) -> {
                if (element instanceof ClassFileVersion) {
                  builder.withVersion(VERSION, 0);
                } else {
                  builder.with(element);
                }
              });

  public static void main(String[] args) throws IOException {
    for (String jar : args) {
      rewrite(Path.of(jar));
    }
  }

  private static void rewrite(Path path) throws IOException {
    Path fresh = path.resolveSibling(path.getFileName() + ".new");
    int changed = 0;
    try (JarFile jar = new JarFile(path.toFile());
        URLClassLoader loader = new URLClassLoader(new URL[] {path.toUri().toURL()});
        OutputStream file = Files.newOutputStream(fresh);
        JarOutputStream out = new JarOutputStream(file)) {
      ClassFile classes =
          ClassFile.of(
              StackMapsOption.GENERATE_STACK_MAPS,
              ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(loader)));
      for (JarEntry entry : jar.stream().toList()) {
        byte[] content;
        try (InputStream in = jar.getInputStream(entry)) {
          content = in.readAllBytes();
        }
        if (entry.getName().endsWith(".class")) {
          ClassModel model = classes.parse(content);
          if (model.majorVersion() < ClassFile.JAVA_6_VERSION) {
            content = classes.transformClass(model, NEWER);
            changed++;
          }
        }
        JarEntry copy = new JarEntry(entry.getName());
        copy.setTime(entry.getTime());
        out.putNextEntry(copy);
        out.write(content);
        out.closeEntry();
      }
      if (changed > 0) {
        out.putNextEntry(new JarEntry(NOTICE));
        out.write(NOTICE_TEXT.getBytes(StandardCharsets.UTF_8));
        out.closeEntry();
      }
    }
    if (changed > 0) {
      Files.move(fresh, path, StandardCopyOption.REPLACE_EXISTING);
    } else {
      Files.delete(fresh);
    }
  }
}
