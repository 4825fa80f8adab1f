// SPDX-License-Identifier: Apache-2.0
package dev.patchbay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.patchbay.model.ClusterSnapshot;
import dev.patchbay.model.ObjectKey;
import dev.patchbay.model.Problem;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InboxTest {
  private static final ObjectKey A = new ObjectKey("default", "a");
  private static final ObjectKey B = new ObjectKey("default", "b");

  private final Inbox inbox = new Inbox();

  private static ClusterSnapshot snapshot(String name) {
    return new ClusterSnapshot(
        Map.of(), List.of(new Problem(Problem.Severity.NOTE, name, 0, "", "", "x")));
  }

  @Test
  void joinsABurstAndKeepsTheNewestSnapshot() throws InterruptedException {
    inbox.change(snapshot("first"), Set.of(A));
    inbox.change(snapshot("second"), Set.of(B));
    inbox.reclaimed(7);
    inbox.reclaimed(5);

    Inbox.Work work = inbox.take(-1);

    assertThat(work.snapshot()).isEqualTo(snapshot("second"));
    assertThat(work.changed()).containsExactlyInAnyOrder(A, B);
    assertThat(work.reclaimed()).isEqualTo(7);
    assertThat(work.stop()).isFalse();
  }

  @Test
  void givesEachThingOnce() throws InterruptedException {
    inbox.change(snapshot("first"), Set.of(A));
    inbox.take(-1);

    Inbox.Work work = inbox.take(1);

    assertThat(work).isEqualTo(new Inbox.Work(null, Set.of(), -1, false));
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
