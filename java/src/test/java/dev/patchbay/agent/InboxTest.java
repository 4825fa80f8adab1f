// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.IpAddress;
import dev.patchbay.model.IpFamily;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import dev.patchbay.model.ServiceState;
import dev.patchbay.model.SourceChanges;
import dev.patchbay.model.SourceUpdate;
import dev.patchbay.testkit.ServiceBuilder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InboxTest {
  private static final ObjectKey A = new ObjectKey("default", "a");
  private static final ObjectKey B = new ObjectKey("default", "b");
  private static final ObjectKey C = new ObjectKey("default", "c");

  private final Inbox inbox = new Inbox();

  private static SourceUpdate update(
      List<ServiceState> upserted, List<ObjectKey> removed, String problem) {
    return new SourceUpdate(
        upserted,
        removed,
        List.of(new Problem(Problem.Severity.NOTE, problem, 0, "", "", "x")),
        List.of(),
        SourceChanges.NONE);
  }

  private static ServiceState state(ObjectKey key, int port) {
    return ServiceBuilder.service(key.toString()).port(port).build();
  }

  @Test
  void joinsABurstAndKeepsTheNewestOfEachService() throws InterruptedException {
    inbox.change(update(List.of(state(A, 80), state(B, 80)), List.of(C), "first"));
    inbox.change(update(List.of(state(A, 81), state(C, 80)), List.of(B), "second"));
    inbox.reclaimed(7);
    inbox.reclaimed(5);

    Inbox.Work work = inbox.take(-1);

    assertThat(work.update())
        .isEqualTo(update(List.of(state(C, 80), state(A, 81)), List.of(B), "second"));
    assertThat(work.reclaimed()).isEqualTo(7);
    assertThat(work.stop()).isFalse();
  }

  @Test
  void changesOfABurstAddUpAndAreToldOnce() throws InterruptedException {
    SourceChanges.Trigger first = new SourceChanges.Trigger(IpFamily.IPV4, 1);
    SourceChanges.Trigger second = new SourceChanges.Trigger(IpFamily.IPV6, 2);
    for (SourceChanges changes :
        List.of(
            new SourceChanges(1, 2, List.of(first)), new SourceChanges(3, 4, List.of(second)))) {
      inbox.change(new SourceUpdate(List.of(), List.of(), List.of(), List.of(), changes));
    }

    SourceUpdate update = requireNonNull(inbox.take(-1).update());

    assertThat(update.changes()).isEqualTo(new SourceChanges(4, 6, List.of(first, second)));
    inbox.change(update(List.of(), List.of(), "later"));
    SourceUpdate later = requireNonNull(inbox.take(-1).update());
    assertThat(later.changes()).isEqualTo(SourceChanges.NONE);
  }

  @Test
  void aTellingWithoutServicesIsTold() throws InterruptedException {
    inbox.change(update(List.of(), List.of(), "only a problem"));

    assertThat(inbox.take(-1).update()).isNotNull();
  }

  @Test
  void givesEachThingOnce() throws InterruptedException {
    inbox.change(update(List.of(state(A, 80)), List.of(), "first"));
    inbox.local(List.of(IpAddress.of("192.0.2.1")));
    assertThat(inbox.take(-1).local()).containsExactly(IpAddress.of("192.0.2.1"));

    Inbox.Work work = inbox.take(1);

    assertThat(work).isEqualTo(new Inbox.Work(null, null, List.of(), List.of(), -1, false));
  }

  @Test
  void staysStopped() throws InterruptedException {
    inbox.stop();

    assertThat(inbox.take(-1).stop()).isTrue();
    assertThat(inbox.take(-1).stop()).isTrue();
  }

  @Test
  void wakesWhoWaits() throws Exception {
    CompletableFuture<Inbox.Work> taken = new CompletableFuture<>();
    Thread.ofPlatform()
        .start(
            () -> {
              try {
                taken.complete(inbox.take(-1));
              } catch (InterruptedException e) {
                taken.completeExceptionally(e);
              }
            });
    inbox.reclaimed(1);

    assertThat(taken.get(10, TimeUnit.SECONDS).reclaimed()).isEqualTo(1);
  }
}
