// SPDX-License-Identifier: Apache-2.0
package dev.patchbay;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The allowed dependencies and the rules of purity. ArchUnit fails a rule that was applied to no
 * class at all, so a rule cannot pass because a package was renamed.
 */
class ArchitectureTest {
  private static final String ROOT = "dev.patchbay.";
  private static final String BINDINGS = ROOT + "bindings..";
  private static final String[] PURE = {
    ROOT + "model..", ROOT + "table..", ROOT + "compile..", ROOT + "inspect.."
  };

  /** What each package may use besides itself, {@code java..} and JSpecify; agent: everything. */
  private static final Map<String, List<String>> ALLOWED =
      Map.of(
          "model", List.of(),
          "table", List.of(ROOT + "model"),
          "compile", List.of(ROOT + "model..", ROOT + "table.."),
          "inspect", List.of(ROOT + "model..", ROOT + "table.."),
          "abi",
              List.of(
                  ROOT + "model..", ROOT + "table..", ROOT + "observe..", ROOT + "bindings.abi.."),
          "reconcile", List.of(ROOT + "model..", ROOT + "table..", "org.slf4j.."),
          "observe", List.of(ROOT + "model..", ROOT + "table.."),
          "manifest",
              List.of(
                  ROOT + "model..", "org.slf4j..", "org.snakeyaml..", "com.fasterxml.jackson.."),
          "kube",
              List.of(
                  ROOT + "model..",
                  ROOT + "observe..",
                  "org.slf4j..",
                  "io.fabric8..",
                  "com.fasterxml.jackson.core.."),
          "kernel",
              List.of(
                  ROOT + "model..",
                  ROOT + "table..",
                  ROOT + "abi..",
                  ROOT + "reconcile..",
                  ROOT + "observe..",
                  BINDINGS,
                  "org.slf4j.."));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.patchbay");

  private static final JavaClasses OURS = CLASSES.that(not(resideInAPackage(BINDINGS)));

  @Test
  void everyPackageHasItsRule() {
    TreeSet<String> packages = new TreeSet<>();
    for (JavaClass c : OURS) {
      packages.add(c.getPackageName().substring(ROOT.length()).replaceAll("\\..*", ""));
    }
    packages.remove("agent");
    assertThat(packages).isEqualTo(new TreeSet<>(ALLOWED.keySet()));
  }

  @TestFactory
  Stream<DynamicTest> packagesUseOnlyWhatTheyMay() {
    return ALLOWED.entrySet().stream()
        .map(
            rule -> {
              String self = ROOT + rule.getKey() + "..";
              List<String> allowed = new ArrayList<>(rule.getValue());
              allowed.add(self);
              allowed.add("java..");
              allowed.add("org.jspecify.annotations..");
              return DynamicTest.dynamicTest(
                  rule.getKey(),
                  () ->
                      classes()
                          .that()
                          .resideInAPackage(self)
                          .should()
                          .onlyDependOnClassesThat(
                              resideInAnyPackage(allowed.toArray(String[]::new)))
                          .check(CLASSES));
            });
  }

  @Test
  void noCycles() {
    slices().matching(ROOT + "(*)..").should().beFreeOfCycles().check(OURS);
    slices()
        .matching(ROOT + "(**)")
        .should()
        .beFreeOfCycles()
        .check(OURS.that(not(resideInAPackage(ROOT + "agent.."))));
  }

  @Test
  void pureMeansNoInputOrOutputNoClockNoThreadNoChance() {
    noClasses()
        .that()
        .resideInAnyPackage(PURE)
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(
                    "java.io..",
                    "java.nio..",
                    "java.net..",
                    "java.util.concurrent..",
                    "java.util.logging..",
                    "java.util.random..",
                    "java.lang.foreign..",
                    "java.time..",
                    "org.slf4j..")
                .or(assignableTo(Thread.class))
                .or(assignableTo(Random.class))
                .or(assignableTo(Runtime.class))
                .or(assignableTo(Process.class)))
        .check(CLASSES);
    noClasses().that().resideInAnyPackage(PURE).should(useTheSystem()).check(CLASSES);
    noClasses()
        .that()
        .resideInAnyPackage(PURE)
        .should()
        .callMethod(Math.class, "random")
        .check(CLASSES);
  }

  @Test
  void aRuleThatSeesNoClassFails() {
    assertThatThrownBy(
            () ->
                noClasses()
                    .that()
                    .resideInAPackage(ROOT + "nowhere..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("java.io..")
                    .check(CLASSES))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("failed to check any classes");
  }

  @Test
  void modelAndTableConsistOfValues() {
    classes()
        .that()
        .resideInAnyPackage(ROOT + "model..", ROOT + "table..")
        .and()
        .areTopLevelClasses()
        .and()
        .doNotHaveSimpleName("package-info")
        .should(beARecordAnEnumOrASealedInterface())
        .check(CLASSES);
    fields()
        .that()
        .areDeclaredInClassesThat()
        .resideInAnyPackage(ROOT + "model..", ROOT + "table..")
        .and()
        .areDeclaredInClassesThat()
        .doNotHaveSimpleName("Builder")
        .should()
        .beFinal()
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAnyPackage(ROOT + "model..", ROOT + "table..")
        .should(haveAFieldOfAMutableType())
        .check(CLASSES);
  }

  @Test
  void onlyTheKernelPackageCallsNativeCode() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "kernel..")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.Linker")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.SymbolLookup")
        .orShould()
        .callMethod(Arena.class, "global")
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage(ROOT + "bindings.libbpf..", ROOT + "bindings.libc..")
        .check(OURS);
    noClasses().should().callMethod(Arena.class, "ofAuto").check(OURS);
  }

  @Test
  void onlyMainEndsTheProcess() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + "agent.Main")
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "exit", int.class)
        .check(OURS);
    // During a shutdown that a signal began, exit() would wait for ever.
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(ROOT + "agent.Stopper")
        .should()
        .callMethod(Runtime.class, "halt", int.class)
        .check(OURS);
  }

  @Test
  void onlyTheAgentReadsTheEnvironment() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "agent..")
        .should()
        .callMethod(System.class, "getenv")
        .orShould()
        .callMethod(System.class, "getenv", String.class)
        .orShould()
        .callMethod(System.class, "getProperty", String.class)
        .orShould()
        .callMethod(System.class, "getProperty", String.class, String.class)
        .check(OURS);
  }

  @Test
  void everyPackageIsNullMarked() {
    TreeSet<String> seen = new TreeSet<>();
    for (JavaClass c : OURS) {
      JavaPackage owner = c.getPackage();
      seen.add(owner.getName());
      assertThat(owner.isAnnotatedWith(NullMarked.class))
          .as("package %s is @NullMarked", owner.getName())
          .isTrue();
    }
    assertThat(seen).contains(ROOT + "model", ROOT + "table", ROOT + "compile");
  }

  private static ArchCondition<JavaClass> useTheSystem() {
    return new ArchCondition<>("use System, arraycopy aside") {
      @Override
      public void check(JavaClass item, ConditionEvents events) {
        item.getAccessesFromSelf().stream()
            .filter(a -> a.getTargetOwner().isEquivalentTo(System.class))
            .filter(a -> !a.getName().equals("arraycopy"))
            .forEach(a -> events.add(SimpleConditionEvent.satisfied(a, a.getDescription())));
      }
    };
  }

  private static ArchCondition<JavaClass> beARecordAnEnumOrASealedInterface() {
    return new ArchCondition<>("be a record, an enum or a sealed interface") {
      @Override
      public void check(JavaClass item, ConditionEvents events) {
        boolean good =
            item.isRecord() || item.isEnum() || (item.isInterface() && item.reflect().isSealed());
        events.add(new SimpleConditionEvent(item, good, item.getName() + " is another kind"));
      }
    };
  }

  private static ArchCondition<JavaClass> haveAFieldOfAMutableType() {
    return new ArchCondition<>("have a field of an array type or of a mutable collection class") {
      @Override
      public void check(JavaClass item, ConditionEvents events) {
        item.getFields().stream()
            .filter(f -> !f.getModifiers().contains(JavaModifier.SYNTHETIC))
            .forEach(
                f -> {
                  JavaClass type = f.getRawType();
                  boolean mutable =
                      type.isArray()
                          || (type.getPackageName().equals("java.util") && !type.isInterface());
                  events.add(new SimpleConditionEvent(f, mutable, f.getFullName() + " is " + type));
                });
      }
    };
  }
}
